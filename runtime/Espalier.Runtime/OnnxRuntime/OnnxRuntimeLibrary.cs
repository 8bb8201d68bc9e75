using System.Runtime.InteropServices;

namespace Espalier.OnnxRuntime;

/// <summary>
/// The native ONNX Runtime library of this process. The first use loads it: the file that the environment variable
/// <c>ESPALIER_ONNXRUNTIME</c> names, else the one beside the application, else the one in its
/// <c>runtimes/&lt;rid&gt;/native</c>, else the system's. All members are thread-safe.
/// </summary>
public static class OnnxRuntimeLibrary
{
    /// <summary>The library's version, for example <c>1.30.0</c>.</summary>
    /// <exception cref="OnnxRuntimeNotFoundException">There is no library.</exception>
    /// <exception cref="OnnxRuntimeVersionException">The library is older than 1.30.</exception>
    public static string Version => OnnxRuntimeImage.Loaded.Version;

    /// <summary>The library's file, or its bare name if the operating system's loader found it.</summary>
    /// <exception cref="OnnxRuntimeNotFoundException">There is no library.</exception>
    /// <exception cref="OnnxRuntimeVersionException">The library is older than 1.30.</exception>
    public static string Path => OnnxRuntimeImage.Loaded.Path;

    /// <summary>The execution providers that the library was built with, preferred first, for example <c>WebGpuExecutionProvider</c>. A provider in this list may still lack files or a device.</summary>
    /// <exception cref="OnnxRuntimeNotFoundException">There is no library.</exception>
    /// <exception cref="OnnxRuntimeVersionException">The library is older than 1.30.</exception>
    public static unsafe IReadOnlyList<string> Providers
    {
        get
        {
            OrtApi api = OrtApi.Current;
            byte** names;
            int count;
            OrtStatus.Check(api.GetAvailableProviders(&names, &count), "list the execution providers");
            var providers = new string[count];
            for (int i = 0; i < count; i++)
            {
                providers[i] = Marshal.PtrToStringUTF8((nint)names[i]) ?? "";
            }

            OrtStatus.Check(api.ReleaseAvailableProviders(names, count), "release the list of execution providers");
            return providers;
        }
    }

    /// <summary>
    /// Sets how many threads compute, for all models of the process together. Call it before the first model is loaded;
    /// without it the environment variable <c>ESPALIER_THREADS</c> decides, and without that the number of processors.
    /// </summary>
    /// <param name="threads">Threads that work on one operator, the calling thread included; 1 to 1024.</param>
    /// <param name="spin">Whether idle threads wait actively between operators: about 15 % faster decoding, at the price of a busy processor while a model runs.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="threads"/> is not in range.</exception>
    /// <exception cref="InvalidOperationException">A model was loaded already.</exception>
    public static void ConfigureThreads(int threads, bool spin = true) => OrtEnvironment.Configure(threads, spin);
}
