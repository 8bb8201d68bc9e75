using System.Text;
using Espalier.Graphs;
using Espalier.Graphs.Formats;
using Espalier.OnnxRuntime;
using Espalier.Planning;
using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>The dense variant, layer by layer, against one session that holds the whole decoder.</summary>
/// <remarks>Decode steps, which read all that the prefill left in the caches of all layers, give the same bits. The first logits do not: the variant's last layer computes one row in place of all, by products
/// of another shape, which add up in another order. In int8 they also quantise another set of rows together, for the last layer's cache too.</remarks>
public sealed class MonolithTests(QuantisedFolder folder) : IClassFixture<QuantisedFolder>
{
    [Theory]
    [InlineData(Precision.Float32, 1e-6)]
    [InlineData(Precision.Int8, 0.03)]
    [InlineData(Precision.Int4, 1e-6)]
    public void TheDenseVariantEqualsOneWholeModelSession(Precision precision, double lastLayer)
    {
        ModelOptions options = folder.Options(precision);
        using var tiny = new TinyModel(c => ClipLlamaDense.Load(c, options));
        using Sequence sequence = tiny.CreateSequence();
        List<float[]> expected = tiny.Run(sequence, 4);

        using var monolith = new Monolith(tiny.Checkpoint, ClipLlamaDense.Plan, options, sequence.Capacity);
        monolith.Run(monolith.Embed(tiny.Prefix));
        float[] logits = monolith.Run([.. monolith.Encode(tiny.Pixels), .. monolith.Embed(tiny.Suffix)]);
        Assert.All(expected[0].Zip(logits), pair => Assert.Equal(pair.First, pair.Second, lastLayer));
        for (int step = 1; step < expected.Count; step++)
        {
            logits = monolith.Run(monolith.Embed([Sampler.Greedy(expected[step - 1])]));
            double tolerance = precision == Precision.Int8 ? lastLayer : 0;
            Assert.All(expected[step].Zip(logits), pair => Assert.Equal(pair.First, pair.Second, tolerance));
        }
    }

    private sealed class Monolith : IDisposable
    {
        private readonly TextGeometry _text;
        private readonly SessionCache _cache;
        private readonly WeightStore _weights;
        private readonly WholeTower _tower;
        private readonly ProjectorBinding _projector;
        private readonly EmbeddingTable _embeddings;
        private readonly OrtSession _session;
        private readonly OrtBinding _binding;
        private readonly List<OrtValue> _values = [];
        private readonly OrtValue _logits;
        private readonly int _capacity;
        private int _position;

        public Monolith(Checkpoint checkpoint, ReductionPlan plan, ModelOptions loading, int capacity)
        {
            _text = checkpoint.Geometry.Text;
            _capacity = capacity;
            _cache = checkpoint.ShareSessions();
            _weights = new WeightStore(checkpoint);
            var sessions = new ModelSessions(_cache, plan, loading);
            _tower = new WholeTower(sessions, scores: null);
            _projector = new ProjectorBinding(sessions, _tower.Features, step: null);
            _embeddings = new EmbeddingTable(checkpoint);
            LinearFormat format = PrecisionFormats.For(loading.Precision!.Value, loading.Device.Provider).Decoder;
            if (format is QuantisedFormat quantised)
            {
                _weights.Add(WeightCache.Open(checkpoint, [QuantisedLayout.Of(checkpoint, LinearGroup.Decoder, quantised)], loading));
            }

            GraphModel graph = MonolithGraph.Build(_text, checkpoint.HeadTensorName, format);
            using OrtSessionOptions options = OrtSessionOptions.Create();
            foreach (WeightUse use in graph.Weights)
            {
                options.AddExternalInitializer(use.Name, _weights.Get(use));
            }

            _session = OrtSession.Create(graph.Bytes, options);
            _binding = OrtBinding.Create(_session);
            for (int layer = 0; layer < _text.Layers; layer++)
            {
                foreach ((string past, string present) in new[] { (GraphNames.PastKey, GraphNames.PresentKey), (GraphNames.PastValue, GraphNames.PresentValue) })
                {
                    OrtValue cache = Own(OrtValue.Allocate([1, _text.KeyValueHeads, capacity, _text.HeadDim], OrtElementType.Float));
                    _binding.BindInput(Name(MonolithGraph.OfLayer(past, layer)), cache);
                    _binding.BindOutput(Name(MonolithGraph.OfLayer(present, layer)), cache);
                }
            }

            _logits = Own(OrtValue.Allocate([1, 1, _text.Vocabulary], OrtElementType.Float));
            _binding.BindOutput(Name(GraphNames.Logits), _logits);
        }

        public float[] Embed(int[] tokens)
        {
            var rows = new float[tokens.Length * _text.Hidden];
            _embeddings.Read(tokens, rows);
            return rows;
        }

        public float[] Encode(float[] pixels)
        {
            pixels.CopyTo(_tower.Pixels);
            _tower.Run();
            int tokens = ClipLlamaDense.Plan.Geometry.VisualTokens;
            using OrtValue rows = OrtValue.Allocate([1, tokens, _text.Hidden], OrtElementType.Float);
            using var lease = new HandleLease(rows);
            _projector.WriteInto(lease.Pointer);
            return rows.AsSpan<float>().ToArray();
        }

        public float[] Run(float[] rows)
        {
            int count = rows.Length / _text.Hidden;
            OrtValue x = Own(OrtValue.Allocate([1, count, _text.Hidden], OrtElementType.Float));
            rows.CopyTo(x.AsSpan<float>());
            _binding.BindInput(Name(GraphNames.X), x);
            OrtValue positions = Own(OrtValue.Allocate([1, count], OrtElementType.Int64));
            for (int i = 0; i < count; i++)
            {
                positions.AsSpan<long>()[i] = _position + i;
            }

            _binding.BindInput(Name(GraphNames.Positions), positions);
            _position += count;
            BindNumber(GraphNames.LastRow, OrtElementType.Int32).AsSpan<int>()[0] = _position - 1;
            BindNumber(GraphNames.Total, OrtElementType.Int32).AsSpan<int>()[0] = _capacity;
            BindNumber(GraphNames.Row, OrtElementType.Int64).AsSpan<long>()[0] = count - 1;
            _session.Run(_binding);
            return _logits.AsSpan<float>().ToArray();
        }

        public void Dispose()
        {
            _binding.Dispose();
            _session.Dispose();
            _projector.Dispose();
            _tower.Dispose();
            _values.ForEach(static value => value.Dispose());
            _weights.Dispose();
            _cache.Release();
        }

        private static byte[] Name(string name) => Encoding.UTF8.GetBytes(name + "\0");

        private OrtValue BindNumber(string name, OrtElementType type)
        {
            OrtValue value = Own(OrtValue.Allocate([1], type));
            _binding.BindInput(Name(name), value);
            return value;
        }

        private OrtValue Own(OrtValue value)
        {
            _values.Add(value);
            return value;
        }
    }
}
