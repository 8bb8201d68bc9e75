using System.Text;
using Espalier.Graphs;
using Espalier.OnnxRuntime;

namespace Espalier.Tests.Graphs;

/// <summary>A graph in a session of the real library, with the weights of a test; runs it on bound tensors.</summary>
internal sealed class GraphSession : IDisposable
{
    private readonly List<NativeTensor> _weights = [];

    public GraphSession(GraphModel model, IWeights weights)
    {
        using var options = OrtSessionOptions.Create();
        foreach (var use in model.Weights)
        {
            var weight = NativeTensor.Of(weights.Get(use), use.Shape);
            _weights.Add(weight);
            options.AddExternalInitializer(use.Name, weight.Value);
        }

        Session = OrtSession.Create(model.Bytes, options);
    }

    /// <summary>The session, for a test that binds by itself.</summary>
    public OrtSession Session { get; }

    public void Dispose()
    {
        Session.Dispose();
        _weights.ForEach(weight => weight.Dispose());
    }

    /// <summary>Runs the graph. Every input and output that the graph declares must be given.</summary>
    public void Run((string Name, NativeTensor Tensor)[] inputs, (string Name, NativeTensor Tensor)[] outputs)
    {
        Assert.Equal(Session.InputNames.Order(StringComparer.Ordinal), inputs.Select(input => input.Name).Order(StringComparer.Ordinal));
        Assert.Equal(Session.OutputNames.Order(StringComparer.Ordinal), outputs.Select(output => output.Name).Order(StringComparer.Ordinal));

        using var binding = OrtBinding.Create(Session);
        foreach (var (name, tensor) in inputs)
        {
            binding.BindInput(Encoding.UTF8.GetBytes(name + '\0'), tensor.Value);
        }

        foreach (var (name, tensor) in outputs)
        {
            binding.BindOutput(Encoding.UTF8.GetBytes(name + '\0'), tensor.Value);
        }

        Session.Run(binding);
    }
}
