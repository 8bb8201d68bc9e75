using System.Globalization;
using System.Text.Json.Nodes;
using Espalier.Graphs.Formats;
using Espalier.Planning;

namespace Espalier.Tool.Inspection;

/// <summary>Something that is true of a checkpoint.</summary>
/// <param name="Key">As JSON names it.</param>
/// <param name="Words">As prose names it.</param>
/// <param name="Value">As JSON has it.</param>
/// <param name="Shown">As prose has it.</param>
internal sealed record Finding(string Key, string Words, JsonNode? Value, string Shown);

/// <summary>A tensor of a checkpoint.</summary>
internal sealed record ListedTensor(string Name, TensorType Type, ReadOnlyMemory<long> Shape);

/// <summary>What a model folder holds and what is wrong with it: all problems, not only the first.</summary>
internal sealed class CheckpointInspection
{
    private readonly List<(string Section, IReadOnlyList<Finding> Findings)> _sections = [];
    private readonly List<string> _problems = [];
    private readonly List<ListedTensor> _tensors = [];

    private CheckpointInspection()
    {
    }

    /// <summary>What is true, by section.</summary>
    public IReadOnlyList<(string Section, IReadOnlyList<Finding> Findings)> Sections => _sections;

    /// <summary>What keeps the model from being run, one sentence each.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>All tensors, by name.</summary>
    public IReadOnlyList<ListedTensor> Tensors => _tensors;

    /// <summary>Inspects a folder.</summary>
    public static CheckpointInspection Of(string folder)
    {
        var inspection = new CheckpointInspection();
        inspection.Try(() => inspection.AddGeometry(Checkpoint.ReadGeometry(folder)));
        inspection.Try(() =>
        {
            using Checkpoint checkpoint = Checkpoint.Open(folder);
            inspection.AddTensors(checkpoint);
            inspection.AddMemory(checkpoint);
            inspection.Try(() => _ = checkpoint.Tokenizer);
            inspection.Try(() => _ = checkpoint.Preprocessor);
            inspection.Try(() => inspection.AddPrompt(checkpoint));
        });
        return inspection;
    }

    private static Finding Text(string key, string words, string value) => new(key, words, value, value);

    private static Finding Number(string key, string words, long value) => new(key, words, value, value.ToString("N0", CultureInfo.InvariantCulture));

    private static Finding Bytes(string key, string words, long value) => new(key, words, value, (value / (double)(1 << 20)).ToString("N1", CultureInfo.InvariantCulture) + " MiB");

    private void Try(Action look)
    {
        try
        {
            look();
        }
        catch (EspalierException exception)
        {
            // A broken config.json is found twice: alone, and with the weights.
            if (!_problems.Contains(exception.Message))
            {
                _problems.Add(exception.Message);
            }
        }
    }

    private void AddGeometry(ModelGeometry geometry)
    {
        VisionGeometry vision = geometry.Vision;
        TextGeometry text = geometry.Text;
        _sections.Add(("model", [Text("family", "family", geometry.ModelType), Number("visual_tokens", "visual tokens an image", geometry.VisualTokens)]));
        _sections.Add(("vision_tower",
        [
            Text("family", "family", vision.Family.ToString()),
            Number("layers", "layers that are run", vision.FeatureLayers),
            Number("hidden", "width", vision.Hidden),
            Number("heads", "heads", vision.Heads),
            Number("image_size", "image size", vision.ImageSize),
            Number("patch_size", "patch size", vision.PatchSize),
            Text("cls", "CLS token", vision.HasCls ? "yes" : "no"),
        ]));
        _sections.Add(("decoder",
        [
            Text("family", "family", text.Family.ToString()),
            Number("layers", "layers", text.Layers),
            Number("hidden", "width", text.Hidden),
            Number("intermediate", "feed-forward width", text.Intermediate),
            Number("heads", "heads", text.Heads),
            Number("kv_heads", "key and value heads", text.KeyValueHeads),
            Number("vocabulary", "vocabulary", text.Vocabulary),
            Number("max_positions", "positions trained for", text.MaxPositions),
        ]));
    }

    private void AddTensors(Checkpoint checkpoint)
    {
        foreach (string name in checkpoint.TensorNames.Order(StringComparer.Ordinal))
        {
            if (checkpoint.TryGetTensor(name, out CheckpointTensor tensor))
            {
                _tensors.Add(new ListedTensor(name, tensor.Type, tensor.Shape));
            }
        }

        HashSet<string> used = [.. RequiredTensors.Of(checkpoint.Geometry).Select(static required => required.Name), checkpoint.HeadTensorName];
        long parameters = _tensors.Where(tensor => used.Contains(tensor.Name)).Sum(Elements);
        _sections.Add(("tensors",
        [
            Number("count", "tensors", _tensors.Count),
            Number("used", "of them used", _tensors.Count(tensor => used.Contains(tensor.Name))),
            Number("parameters", "parameters used", parameters),
            Text("types", "stored as", string.Join(", ", _tensors.GroupBy(static tensor => tensor.Type).OrderBy(static group => group.Key).Select(static group => string.Create(CultureInfo.InvariantCulture, $"{group.Key} ({group.Count()})")))),
            Text("head", "head", checkpoint.HeadTensorName),
        ]));
    }

    private void AddMemory(Checkpoint checkpoint)
    {
        long single = RequiredTensors.Of(checkpoint.Geometry).Sum(static required => 4 * Product(required.Shape))
            + (checkpoint.HeadTensorName == CanonicalNames.Head ? 4L * checkpoint.Geometry.Text.Vocabulary * checkpoint.Geometry.Text.Hidden : 0);
        QuantisedLayout vision = QuantisedLayout.Of(checkpoint, LinearGroup.Vision, Int8PerToken.Signed);
        var plan = (ReductionPlan)Planner.Plan(checkpoint.Geometry, []).Plan!;
        _sections.Add(("memory",
        [
            Bytes("float32", "weights in float32", single),
            Bytes("int8", "weights in int8", Quantised(single, vision, QuantisedLayout.Of(checkpoint, LinearGroup.Decoder, Int8PerToken.Signed))),
            Bytes("int4", "weights in int4", Quantised(single, vision, QuantisedLayout.Of(checkpoint, LinearGroup.Decoder, Int4Blocks.Instance))),
            Bytes("kv_cache", "KV cache, 64 text tokens", plan.DenseKeyValueBytes(CostModel.AssumedTextTokens)),
        ]));
    }

    private void AddPrompt(Checkpoint checkpoint) => _sections.Add(("prompt",
    [
        Text("form", "form", checkpoint.Prompt.Form.ToString()),
        Text("stop_tokens", "stop tokens", string.Join(", ", checkpoint.GenerationDefaults.EosTokenIds)),
    ]));

    /// <summary>What is quantised is stored as integers and scales; a tied head stands beside the table that it is.</summary>
    private static long Quantised(long single, params ReadOnlySpan<QuantisedLayout> layouts)
    {
        long bytes = single;
        foreach (QuantisedLayout layout in layouts)
        {
            foreach (QuantisedWeight weight in layout.Weights)
            {
                bytes += weight.Integers.ByteCount + weight.Scales.ByteCount - (weight.Name == CanonicalNames.Embeddings ? 0 : 4L * weight.Inputs * weight.Outputs);
            }
        }

        return bytes;
    }

    private static long Elements(ListedTensor tensor) => Product(tensor.Shape.Span);

    private static long Product(ReadOnlySpan<long> shape)
    {
        long product = 1;
        foreach (long length in shape)
        {
            product *= length;
        }

        return product;
    }
}
