using System.Globalization;
using System.Text;

namespace Espalier.OnnxRuntime;

/// <summary>What ONNX Runtime's CUDA provider and its sessions are told.</summary>
internal static class CudaOptions
{
    /// <summary>The provider's options, but for the stream, which is an address.</summary>
    /// <param name="deviceId">The GPU.</param>
    /// <param name="captures">True for a session whose runs become CUDA graphs.</param>
    public static IReadOnlyList<(string Key, string Value)> Of(int deviceId, bool captures) =>
    [
        ("device_id", deviceId.ToString(CultureInfo.InvariantCulture)),
        ("enable_cuda_graph", captures ? "1" : "0"),

        // Room grows by what is asked for: shapes repeat, and doubling would be for sessions that never come.
        ("arena_extend_strategy", "kSameAsRequested"),

        // One convolution an image. The exhaustive search would take longer than all of them.
        ("cudnn_conv_algo_search", "HEURISTIC"),
        ("do_copy_in_default_stream", "1"),

        // The same kernels in every run: what is measured once is not chosen by a stopwatch in the next process.
        ("tunable_op_enable", "0"),
        ("tunable_op_tuning_enable", "0"),

        // Norms add up in 32 bits, and what ranks tokens is multiplied in 32 bits, not in 19.
        ("enable_skip_layer_norm_strict_mode", "1"),
        ("use_tf32", "0"),
    ];

    /// <summary>Entries of the session's configuration, each with a zero at its end.</summary>
    /// <param name="captures">True for a session whose runs become CUDA graphs.</param>
    public static IEnumerable<(byte[] Key, byte[] Value)> SessionEntries(bool captures)
    {
        yield return Entry("session.record_ep_graph_assignment_info", "1");
        yield return Entry("session.use_device_allocator_for_initializers", "1");
        if (captures)
        {
            // A captured run writes to addresses that its session has given back: nobody else may get them.
            yield return Entry("session.use_env_allocators", "0");
        }
    }

    private static (byte[] Key, byte[] Value) Entry(string key, string value) => (Encoding.UTF8.GetBytes(key + "\0"), Encoding.UTF8.GetBytes(value + "\0"));
}
