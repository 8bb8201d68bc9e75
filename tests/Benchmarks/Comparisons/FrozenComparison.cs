using System.CommandLine;
using Espalier.Benchmarks.Declared;
using Espalier.Benchmarks.Decoders;
using Espalier.Benchmarks.Measuring;
using Espalier.Graphs;
using Espalier.Planning;

namespace Espalier.Benchmarks.Comparisons;

/// <summary><c>frozen</c>: what a layer costs by kind.</summary>
internal static class FrozenComparison
{
    private const int SuffixRows = 44;

    public static Command CreateCommand() => BenchmarkCommand.Create(
        "frozen",
        $"One decoder layer by kind, over the visual rows of an image and {SuffixRows} suffix rows. Each sample runs all layers in turn, so that weights come from memory as they do in a prefill; times are of one layer.",
        defaultRounds: 15,
        Measure);

    private static void Measure(BenchmarkRun run)
    {
        ReductionPlan plan = Suite.For(run.Checkpoint).Dense.Plan;
        SessionCache cache = run.Checkpoint.ShareSessions();
        try
        {
            cache.Prepare(run.Formats, run.Options);
            using var dense = new KindBench(cache, run.Formats.Decoder, plan, LayerKind.Dense, run.Checkpoint);
            using var scored = new KindBench(cache, run.Formats.Decoder, plan, LayerKind.Scored, run.Checkpoint);
            using var frozen = new KindBench(cache, run.Formats.Decoder, plan, LayerKind.Frozen, run.Checkpoint);
            using var frozenScored = new KindBench(cache, run.Formats.Decoder, plan, LayerKind.FrozenScored, run.Checkpoint);
            int layer = 0;
            Measurement[] measurements = run.Measure(
            [
                .. new[] { dense, scored, frozen, frozenScored }.Select(bench =>
                    new Contender(bench.Kind.ToString(), () => bench.Run(layer++ % plan.Layers), () => layer = 0, plan.Layers)),
            ]);

            int rows = plan.Geometry.VisualTokens + SuffixRows;
            run.Report.Say($"{plan.Geometry.VisualTokens} visual and {SuffixRows} suffix rows; layers of {plan.Geometry.Text.Hidden} x {plan.Geometry.Text.Intermediate}.");
            var table = new MarkdownTable("layer", "ms", "CPU ms", "ratio to dense", "quartiles", "of minima", "of CPU", "of operations", "target");
            foreach (Measurement measurement in measurements)
            {
                Ratio ratio = measurement.To(measurements[0]);
                bool isFrozen = measurement.Name.StartsWith("Frozen", StringComparison.Ordinal);
                double operations = CostModel.LayerFlops(plan.Geometry.Text, FlopsConvention.C, isFrozen ? LayerMode.Frozen : LayerMode.Dense, SuffixRows, plan.Geometry.VisualTokens)
                    / CostModel.LayerFlops(plan.Geometry.Text, FlopsConvention.C, LayerMode.Dense, SuffixRows, plan.Geometry.VisualTokens);
                table.Add(
                    measurement.Name,
                    Numbers.Times(measurement.WallSpread),
                    Numbers.Time(measurement.CpuSpread.Median),
                    Numbers.Ratio(ratio.Wall),
                    Numbers.Quartiles(ratio.Rounds),
                    Numbers.Ratio(ratio.Minimum),
                    Numbers.Ratio(ratio.Cpu),
                    Numbers.Ratio(operations),
                    isFrozen ? "0.150" : "");
            }

            run.Report.Add(table);
            run.Report.Add(new BarChart("A layer by kind", "ms", [.. measurements.Select(static measurement => Bar.Of(measurement.Name, measurement.WallSpread))]));
        }
        finally
        {
            cache.Release();
        }
    }

    /// <summary>All layers of one kind, bound to the same rows.</summary>
    private sealed class KindBench : IDisposable
    {
        private readonly KeyValueCache _cache;
        private readonly LayerBinding[] _bindings;
        private readonly List<RowTensor> _tensors = [];

        public KindBench(SessionCache sessions, LinearFormat format, ReductionPlan plan, LayerKind kind, Checkpoint checkpoint)
        {
            Kind = kind;
            int visual = plan.Geometry.VisualTokens;
            int rows = visual + SuffixRows;
            int hidden = plan.Geometry.Text.Hidden;
            bool frozen = kind is LayerKind.Frozen or LayerKind.FrozenScored;
            int moving = frozen ? SuffixRows : rows;
            _cache = new KeyValueCache(plan, rows);
            _bindings = new LayerBinding[plan.Layers];

            RowTensor x = Add(RowTensor.Hidden(hidden), moving);
            RowTensor positions = Add(RowTensor.Positions(), moving);
            RowTensor y = Add(RowTensor.Hidden(hidden), moving);
            RowTensor resting = Add(RowTensor.Hidden(hidden), visual);
            RowTensor restingPositions = Add(RowTensor.Positions(), visual);
            RowTensor start = Add(RowTensor.Indices(), 1);
            RowTensor scores = Add(RowTensor.Scores(), rows);

            int[] tokens = RandomInputs.Tokens(plan.Geometry, rows);
            var embeddings = new EmbeddingTable(checkpoint);
            embeddings.Read(tokens.AsSpan(rows - moving), x.Span<float>());
            embeddings.Read(tokens.AsSpan(0, visual), resting.Span<float>());
            Count(positions, rows - moving);
            Count(restingPositions, 0);
            for (int layer = 0; layer < _bindings.Length; layer++)
            {
                LayerBinding binding = _bindings[layer] = new LayerBinding(sessions.Get(new SessionKey(Device.Cpu.Provider, ModelPart.DecoderLayer, format, layer, kind)));
                _cache.Bind(binding.Binding, layer);
                _cache.Announce(layer, rows);
                binding.BindInput("x\0"u8, x.Value);
                binding.BindInput("positions\0"u8, positions.Value);
                binding.BindOutput("y\0"u8, y.Value);
                if (frozen)
                {
                    _cache.BindScatter(binding.Binding, layer);
                    binding.BindInput("visual\0"u8, resting.Value);
                    binding.BindInput("visual_positions\0"u8, restingPositions.Value);
                    binding.BindInput("visual_start\0"u8, start.Value);
                }

                if (kind is LayerKind.Scored or LayerKind.FrozenScored)
                {
                    _cache.BindKeyRows(binding.Binding, layer);
                    binding.BindOutput("score\0"u8, scores.Value);
                }
            }
        }

        public LayerKind Kind { get; }

        public void Run(int layer) => _bindings[layer].Run();

        public void Dispose()
        {
            foreach (LayerBinding binding in _bindings)
            {
                binding.Dispose();
            }

            foreach (RowTensor tensor in _tensors)
            {
                tensor.Dispose();
            }

            _cache.Dispose();
        }

        private RowTensor Add(RowTensor tensor, int rows)
        {
            tensor.Resize(rows);
            _tensors.Add(tensor);
            return tensor;
        }

        private static void Count(RowTensor positions, int first)
        {
            Span<long> span = positions.Span<long>();
            for (int i = 0; i < span.Length; i++)
            {
                span[i] = first + i;
            }
        }
    }
}
