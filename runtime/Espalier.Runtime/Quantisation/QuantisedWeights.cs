using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Espalier.Graphs;
using Espalier.OnnxRuntime;
using Microsoft.Win32.SafeHandles;

namespace Espalier;

/// <summary>A mapped file of quantised weights that was found to be whole, and made from the weights that are open.</summary>
/// <remarks>The file is treated as hostile: its header is read by the rules of every safetensors file, and must declare exactly the tensors of the layout. Not thread-safe; the tensors that it hands out are, and hold the mapping open.</remarks>
internal sealed class QuantisedWeights : IDisposable
{
    private const string FormatKey = "espalier.format";
    private const string SampleKey = "espalier.source.sample";
    private const string SourceKey = "espalier.source";
    private const string ChecksumKey = "espalier.checksum";

    private readonly CheckpointLease _mapping;
    private readonly Dictionary<string, (WeightUse Use, nint Data)> _tensors;

    private QuantisedWeights(string file, CheckpointLease mapping, Dictionary<string, (WeightUse Use, nint Data)> tensors)
    {
        File = file;
        _mapping = mapping;
        _tensors = tensors;
    }

    /// <summary>The path of the file.</summary>
    public string File { get; }

    /// <summary>The metadata of a file.</summary>
    public static KeyValuePair<string, string>[] Metadata(QuantisedLayout layout, string sample, string source, string checksum) =>
    [
        new(FormatKey, FormatOf(layout)),
        new(SampleKey, sample),
        new(SourceKey, source),
        new(ChecksumKey, checksum),
    ];

    /// <summary>Opens a file if it is there, whole and made from the weights that are open.</summary>
    /// <param name="path">The file.</param>
    /// <param name="layout">What the file must hold, and of whose weights.</param>
    /// <param name="cancellationToken">Looked at between the tensors.</param>
    /// <param name="weights">The opened file.</param>
    /// <param name="finding">Why not, where false is returned.</param>
    public static bool TryOpen(string path, QuantisedLayout layout, CancellationToken cancellationToken, [NotNullWhen(true)] out QuantisedWeights? weights, [NotNullWhen(false)] out string? finding)
    {
        weights = null;
        CheckpointMapping? mapping = null;
        try
        {
            SafeFileHandle handle = CheckpointFiles.Open(path, out long length);
            SafetensorsContents contents;
            DateTime written;
            try
            {
                contents = SafetensorsHeader.Read(handle, length, path);
                written = System.IO.File.GetLastWriteTimeUtc(handle);
            }
            catch
            {
                handle.Dispose();
                throw;
            }

            mapping = new CheckpointMapping();
            nint start = mapping.Map(handle, length, path);
            finding = CheckTensors(contents, layout)
                ?? CheckSource(contents.Metadata, written, path, layout, cancellationToken)
                ?? CheckData(contents, start, cancellationToken);
            if (finding is not null)
            {
                return false;
            }

            var uses = layout.Weights.SelectMany(static weight => (WeightUse[])[weight.Integers, weight.Scales]).ToDictionary(static use => use.Name, StringComparer.Ordinal);
            var tensors = contents.Tensors.ToDictionary(static tensor => tensor.Name, tensor => (uses[tensor.Name], start + (nint)tensor.Begin), StringComparer.Ordinal);
            weights = new QuantisedWeights(path, new CheckpointLease(mapping), tensors);
            mapping = null;
            return true;
        }
        catch (Exception exception) when (exception is CheckpointException or IOException or UnauthorizedAccessException)
        {
            finding = exception.Message;
            return false;
        }
        finally
        {
            mapping?.Release();
        }
    }

    /// <summary>True if the file holds a tensor of a weight's name.</summary>
    public bool Has(WeightUse use) => _tensors.ContainsKey(use.Name);

    /// <summary>Returns a tensor as a weight of sessions, over the mapped file.</summary>
    public bool TryGet(WeightUse use, [NotNullWhen(true)] out OrtValue? value)
    {
        value = null;
        if (!_tensors.TryGetValue(use.Name, out (WeightUse Use, nint Data) found))
        {
            return false;
        }

        if (found.Use.Type != use.Type || !found.Use.Shape.AsSpan().SequenceEqual(use.Shape))
        {
            throw new InvalidOperationException($"The graph and the file disagree about {use.Name}.");
        }

        value = OrtValue.Over(_mapping, found.Data, (nuint)use.ByteCount, use.Shape, use.Type);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _mapping.Dispose();

    private static string FormatOf(QuantisedLayout layout) => string.Create(CultureInfo.InvariantCulture, $"{layout.Format.Name} {layout.Format.Version}");

    /// <summary>The tensors must be those of the layout, in its order; then every address is inside of the file, by the rules of the header.</summary>
    private static string? CheckTensors(SafetensorsContents contents, QuantisedLayout layout)
    {
        if (!contents.Metadata.TryGetValue(FormatKey, out string? format) || format != FormatOf(layout))
        {
            return $"it does not hold weights in the format {FormatOf(layout)}.";
        }

        bool equal = contents.Tensors.Count == layout.Tensors.Count;
        for (int i = 0; equal && i < layout.Tensors.Count; i++)
        {
            (StoredTensor stored, DeclaredTensor declared) = (contents.Tensors[i], layout.Tensors[i]);
            equal = stored.Name == declared.Name && stored.Type == declared.Type && stored.Shape.AsSpan().SequenceEqual(declared.Shape);
        }

        return equal ? null : "it holds other tensors than the model has linear layers.";
    }

    private static string? CheckSource(IReadOnlyDictionary<string, string> metadata, DateTime written, string path, QuantisedLayout layout, CancellationToken cancellationToken)
    {
        const string Stale = "it was made from other weights.";
        if (!metadata.TryGetValue(SampleKey, out string? sample) || sample != SourceDigest.Sample(layout))
        {
            return Stale;
        }

        IEnumerable<string> files = layout.Weights.Select(weight => layout.Source.GetTensor(weight.Name, weight.Shape).File).Distinct(StringComparer.Ordinal);
        if (files.All(file => System.IO.File.GetLastWriteTimeUtc(System.IO.File.ResolveLinkTarget(file, returnFinalTarget: true)?.FullName ?? file) < written))
        {
            return null;
        }

        if (!metadata.TryGetValue(SourceKey, out string? source) || source != SourceDigest.Full(layout, cancellationToken))
        {
            return Stale;
        }

        try
        {
            // The next start need not read the checkpoint through again.
            System.IO.File.SetLastWriteTimeUtc(path, DateTime.UtcNow);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // In a folder of somebody else it must.
        }

        return null;
    }

    private static string? CheckData(SafetensorsContents contents, nint start, CancellationToken cancellationToken)
    {
        uint[] checksums = new uint[contents.Tensors.Count];
        Parallel.For(0, checksums.Length, new ParallelOptions { CancellationToken = cancellationToken }, i =>
        {
            StoredTensor tensor = contents.Tensors[i];
            checksums[i] = Checksum.Of(start + (nint)tensor.Begin, tensor.End - tensor.Begin);
        });
        return contents.Metadata.TryGetValue(ChecksumKey, out string? checksum) && checksum == Checksum.Join(checksums) ? null : "its checksum is wrong.";
    }
}
