using System.Globalization;

namespace Espalier.OnnxRuntime;

/// <summary>
/// The environment that all sessions of the process share: one pool of threads and one arena for intermediate tensors.
/// Private pools per session make a layer-by-layer pass 1.5 to 3 times slower, and private arenas double its memory.
/// ONNX Runtime has one environment in a process and ignores the arguments of whoever comes second, so that another
/// user of the library in the same process must not create its own before ours.
/// </summary>
internal sealed unsafe class OrtEnvironment : OrtHandle
{
    /// <summary>The environment variable that sets the number of threads where the program does not.</summary>
    public const string ThreadsVariable = "ESPALIER_THREADS";

    /// <summary>The most threads that can be asked for.</summary>
    public const int MaximumThreads = 1024;

    private const int SeverityError = 3;
    private static readonly Lock Gate = new();
    private static OrtEnvironment? _shared;
    private static (int Threads, bool Spin)? _configured;

    private OrtEnvironment(nint native, int threads)
        : base(native)
    {
        Threads = threads;
    }

    /// <summary>The number of threads that work on one operator, the calling one included.</summary>
    public int Threads { get; }

    /// <summary>The process's environment; the first use creates it. It lives as long as the process unless a test disposes it; then the next use creates it anew.</summary>
    public static OrtEnvironment Shared
    {
        get
        {
            lock (Gate)
            {
                if (_shared is null || _shared.IsClosed)
                {
                    _shared = Create();
                }

                return _shared;
            }
        }
    }

    /// <inheritdoc cref="OnnxRuntimeLibrary.ConfigureThreads"/>
    public static void Configure(int threads, bool spin = true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(threads, MaximumThreads);
        lock (Gate)
        {
            if (_shared is { IsClosed: false })
            {
                throw new InvalidOperationException($"The threads of ONNX Runtime exist already ({_shared.Threads}). Configure them before the first model is loaded, or set {ThreadsVariable}.");
            }

            _configured = (threads, spin);
        }
    }

    /// <summary>Reads the value of <see cref="ThreadsVariable"/>.</summary>
    /// <exception cref="OnnxRuntimeConfigurationException">It is set and is not a whole number in range.</exception>
    public static int ThreadsFrom(string? variable)
    {
        if (string.IsNullOrEmpty(variable))
        {
            return Math.Min(Environment.ProcessorCount, MaximumThreads);
        }

        return int.TryParse(variable, NumberStyles.None, CultureInfo.InvariantCulture, out int threads) && threads is >= 1 and <= MaximumThreads
            ? threads
            : throw new OnnxRuntimeConfigurationException($"The environment variable {ThreadsVariable} is '{variable}'. Set it to a whole number from 1 to {MaximumThreads}, or unset it to use all processors.");
    }

    private static OrtEnvironment Create()
    {
        (int threads, bool spin) = _configured ?? (ThreadsFrom(Environment.GetEnvironmentVariable(ThreadsVariable)), true);
        OrtApi api = OrtApi.Current;
        nint native;
        nint threading;
        OrtStatus.Check(api.CreateThreadingOptions(&threading), "create the threading options");
        try
        {
            OrtStatus.Check(api.SetGlobalIntraOpNumThreads(threading, threads), "set the number of threads");
            OrtStatus.Check(api.SetGlobalInterOpNumThreads(threading, 1), "set the number of threads between operators");
            OrtStatus.Check(api.SetGlobalSpinControl(threading, spin ? 1 : 0), "set how threads wait");
            fixed (byte* name = "espalier\0"u8)
            {
                OrtStatus.Check(api.CreateEnvWithGlobalThreadPools(SeverityError, name, threading, &native), "create the environment");
            }
        }
        finally
        {
            api.ReleaseThreadingOptions(threading);
        }

        var environment = new OrtEnvironment(native, threads);
        try
        {
            OrtStatus.Check(api.DisableTelemetryEvents(native), "disable telemetry");
            RegisterArena(api, native);
            return environment;
        }
        catch
        {
            environment.Dispose();
            throw;
        }
    }

    private static void RegisterArena(OrtApi api, nint environment)
    {
        // arena_extend_strategy 1 = as much as is asked for. The default doubles, for sessions that never come.
        using OrtMemoryInfo memory = OrtMemoryInfo.CreateCpu(OrtAllocatorType.Arena);
        nint configuration;
        fixed (byte* key = "arena_extend_strategy\0"u8)
        {
            nuint value = 1;
            byte* keys = key;
            OrtStatus.Check(api.CreateArenaCfgV2(&keys, &value, 1, &configuration), "configure the arena");
        }

        try
        {
            OrtStatus.Check(api.CreateAndRegisterAllocator(environment, memory.DangerousGetHandle(), configuration), "register the arena");
        }
        finally
        {
            api.ReleaseArenaCfg(configuration);
        }
    }

    private protected override void Release(OrtApi api, nint native) => api.ReleaseEnv(native);
}
