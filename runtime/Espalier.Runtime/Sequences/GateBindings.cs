using Espalier.Planning;

namespace Espalier;

/// <summary>The gates of a plan, bound for one sequence.</summary>
/// <remarks>Asking allocates nothing managed. Not thread-safe.</remarks>
internal sealed class GateBindings : IDisposable
{
    private readonly LayerBinding?[] _gates;
    private readonly RowTensor _rows;
    private readonly RowTensor _row;
    private readonly RowTensor _says;

    public GateBindings(ModelSessions sessions, ExitGates gates)
    {
        _gates = new LayerBinding?[sessions.Geometry.Text.Layers];
        _rows = RowTensor.Indices(sessions.Memory);
        _row = RowTensor.Indices(sessions.Memory);
        _says = RowTensor.Hidden(2, sessions.Memory);
        _row.Resize(1);
        _says.Resize(1);
        for (int layer = gates.FirstLayer; layer <= gates.LastLayer; layer++)
        {
            var binding = new LayerBinding(sessions.Gate(layer));
            _gates[layer] = binding;
            binding.BindInput("row\0"u8, _row.Value);
            binding.BindOutput("gate\0"u8, _says.Value);
        }
    }

    /// <summary>True if the gate behind a layer says that the visual tokens leave; equal says stay.</summary>
    /// <param name="layer">The layer that ran last.</param>
    /// <param name="rows">The rows behind it: visual rows, then text rows.</param>
    /// <param name="textRows">Text rows behind the image.</param>
    public bool Exits(int layer, RowTensor rows, int textRows)
    {
        // The mean is over the text without its last row; text of one row is its own mean.
        int averaged = Math.Max(1, textRows - 1);
        _rows.Resize(averaged);
        Span<long> indices = _rows.Span<long>();
        for (int i = 0; i < averaged; i++)
        {
            indices[i] = rows.Rows - textRows + i;
        }

        _row.Span<long>()[0] = rows.Rows - 1;
        _rows.Upload();
        _row.Upload();
        LayerBinding gate = _gates[layer]!;
        gate.BindInput("x\0"u8, rows.Value);
        gate.BindInput("rows\0"u8, _rows.Value);
        gate.Run();
        _says.MarkWritten();
        ReadOnlySpan<float> says = _says.Read<float>();
        return says[0] < says[1];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (LayerBinding? gate in _gates)
        {
            gate?.Dispose();
        }

        _rows.Dispose();
        _row.Dispose();
        _says.Dispose();
    }
}
