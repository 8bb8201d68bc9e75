using System.Globalization;
using System.Text;
using Espalier.Tests.Configs;

namespace Espalier.Tests.Checkpoints;

/// <summary>Writes checkpoints of the model that <see cref="ConfigCorpus.Small"/> describes. The tensors are listed here by hand, so that the test does not ask the code what the code asks for.</summary>
internal static class SmallModel
{
    public enum Layout
    {
        /// <summary>transformers before 4.52.</summary>
        Old,

        /// <summary>transformers since.</summary>
        New,
    }

    /// <summary>Stored name and shape of every tensor.</summary>
    public static IEnumerable<(string Name, long[] Shape)> Tensors(Layout layout = Layout.Old, bool tied = false)
    {
        (string decoder, string head, string tower, string projector) = layout == Layout.Old
            ? ("language_model.model.", "language_model.lm_head.weight", "vision_tower.vision_model.", "multi_modal_projector.")
            : ("model.language_model.", "lm_head.weight", "model.vision_tower.", "model.multi_modal_projector.");
        yield return (tower + "embeddings.class_embedding", [32]);
        yield return (tower + "embeddings.patch_embedding.weight", [32, 3, 8, 8]);
        yield return (tower + "embeddings.position_embedding.weight", [37, 32]);
        yield return (tower + "embeddings.position_ids", [1, 37]);
        yield return (tower + "pre_layrnorm.weight", [32]);
        yield return (tower + "pre_layrnorm.bias", [32]);
        for (int i = 0; i < 2; i++)
        {
            string layer = tower + "encoder.layers." + i.ToString(CultureInfo.InvariantCulture) + ".";
            foreach (string name in (string[])["layer_norm1.weight", "layer_norm1.bias", "layer_norm2.weight", "layer_norm2.bias", "self_attn.q_proj.bias", "self_attn.k_proj.bias", "self_attn.v_proj.bias", "self_attn.out_proj.bias", "mlp.fc2.bias"])
            {
                yield return (layer + name, [32]);
            }

            foreach (string name in (string[])["q", "k", "v", "out"])
            {
                yield return (layer + "self_attn." + name + "_proj.weight", [32, 32]);
            }

            yield return (layer + "mlp.fc1.weight", [64, 32]);
            yield return (layer + "mlp.fc1.bias", [64]);
            yield return (layer + "mlp.fc2.weight", [32, 64]);
        }

        yield return (projector + "linear_1.weight", [64, 32]);
        yield return (projector + "linear_1.bias", [64]);
        yield return (projector + "linear_2.weight", [64, 64]);
        yield return (projector + "linear_2.bias", [64]);
        yield return (decoder + "embed_tokens.weight", [96, 64]);
        for (int i = 0; i < 2; i++)
        {
            string layer = decoder + "layers." + i.ToString(CultureInfo.InvariantCulture) + ".";
            yield return (layer + "input_layernorm.weight", [64]);
            yield return (layer + "post_attention_layernorm.weight", [64]);
            yield return (layer + "self_attn.q_proj.weight", [64, 64]);
            yield return (layer + "self_attn.k_proj.weight", [32, 64]);
            yield return (layer + "self_attn.v_proj.weight", [32, 64]);
            yield return (layer + "self_attn.o_proj.weight", [64, 64]);
            yield return (layer + "self_attn.rotary_emb.inv_freq", [8]);
            yield return (layer + "mlp.gate_proj.weight", [128, 64]);
            yield return (layer + "mlp.up_proj.weight", [128, 64]);
            yield return (layer + "mlp.down_proj.weight", [64, 128]);
        }

        yield return (decoder + "norm.weight", [64]);
        if (!tied)
        {
            yield return (head, [96, 64]);
        }
    }

    /// <summary>The values of a tensor: exact in all three types, and other ones for every tensor and element.</summary>
    public static float[] Values(string name, long[] shape)
    {
        int seed = name.Aggregate(17, (hash, c) => unchecked((hash * 31) + c));
        var random = new Random(seed);
        float[] values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (random.Next(256) - 128) / 64f;
        }

        return values;
    }

    /// <summary>Writes config and weights into a folder; <paramref name="shards"/> above 1 writes an index.</summary>
    public static void Write(TemporaryFolder folder, IEnumerable<(string Name, long[] Shape)> tensors, string type = "F32", int shards = 1, int padding = 0, string? config = null)
    {
        File.WriteAllText(folder["config.json"], config ?? ConfigCorpus.Small);
        var all = tensors.ToList();
        if (shards == 1)
        {
            File.WriteAllBytes(folder["model.safetensors"], Pack(all, type, padding));
            return;
        }

        var index = new StringBuilder("{\"metadata\": {\"total_size\": 1}, \"weight_map\": {");
        for (int shard = 0; shard < shards; shard++)
        {
            string file = string.Create(CultureInfo.InvariantCulture, $"model-{shard + 1:00000}-of-{shards:00000}.safetensors");
            List<(string Name, long[] Shape)> part = all.Where((_, i) => i % shards == shard).ToList();
            File.WriteAllBytes(folder[file], Pack(part, type, padding));
            part.ForEach(tensor => index.Append('"').Append(tensor.Name).Append("\": \"").Append(file).Append("\",\n"));
        }

        index.Length -= 2;
        File.WriteAllText(folder["model.safetensors.index.json"], index.Append("}}").ToString());
    }

    public static byte[] Pack(IEnumerable<(string Name, long[] Shape)> tensors, string type = "F32", int padding = 0)
    {
        var writer = new SafetensorsWriter { Padding = padding, Metadata = "{\"format\":\"pt\"}" };
        foreach ((string name, long[] shape) in tensors)
        {
            writer.Add(name, type, shape, Values(name, shape));
        }

        return writer.ToArray();
    }
}
