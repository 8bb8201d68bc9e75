using System.Runtime.CompilerServices;

// All signatures below are blittable; without the marshaller in between, a call costs what a C call costs.
[assembly: DisableRuntimeMarshalling]

namespace Espalier.OnnxRuntime;

/// <summary>
/// The functions of ONNX Runtime's C API that Espalier calls, read once from the versioned table that
/// <c>OrtGetApiBase()->GetApi(30)</c> returns. The table only ever grows at its end, so a newer library works too.
/// Opaque pointers are <see cref="nint"/>; a function that returns <see cref="nint"/> returns an <c>OrtStatus*</c>,
/// zero when all went well, which <see cref="OrtStatus"/> checks and releases.
/// </summary>
internal sealed unsafe class OrtApi
{
    /// <summary>The version of the table that the slot numbers below are taken from.</summary>
    public const uint Version = 30;

    // Status.
    public readonly delegate* unmanaged[Cdecl]<nint, int> GetErrorCode;
    public readonly delegate* unmanaged[Cdecl]<nint, byte*> GetErrorMessage;
    public readonly delegate* unmanaged[Cdecl]<nint, void> ReleaseStatus;

    // Environment.
    public readonly delegate* unmanaged[Cdecl]<int, byte*, nint, nint*, nint> CreateEnvWithGlobalThreadPools;
    public readonly delegate* unmanaged[Cdecl]<nint, void> ReleaseEnv;
    public readonly delegate* unmanaged[Cdecl]<nint, nint> DisableTelemetryEvents;
    public readonly delegate* unmanaged[Cdecl]<nint*, nint> CreateThreadingOptions;
    public readonly delegate* unmanaged[Cdecl]<nint, void> ReleaseThreadingOptions;
    public readonly delegate* unmanaged[Cdecl]<nint, int, nint> SetGlobalIntraOpNumThreads;
    public readonly delegate* unmanaged[Cdecl]<nint, int, nint> SetGlobalInterOpNumThreads;
    public readonly delegate* unmanaged[Cdecl]<nint, int, nint> SetGlobalSpinControl;
    public readonly delegate* unmanaged[Cdecl]<byte***, int*, nint> GetAvailableProviders;
    public readonly delegate* unmanaged[Cdecl]<byte**, int, nint> ReleaseAvailableProviders;
    public readonly delegate* unmanaged[Cdecl]<nint, nint**, nuint*, nint> GetEpDevices;
    public readonly delegate* unmanaged[Cdecl]<nint, byte*> EpDeviceEpName;
    public readonly delegate* unmanaged[Cdecl]<nint, nint> EpDeviceDevice;
    public readonly delegate* unmanaged[Cdecl]<nint, int> HardwareDeviceType;
    public readonly delegate* unmanaged[Cdecl]<nint, uint> HardwareDeviceVendorId;
    public readonly delegate* unmanaged[Cdecl]<nint, byte*> HardwareDeviceVendor;
    public readonly delegate* unmanaged[Cdecl]<nint, uint> HardwareDeviceDeviceId;
    public readonly delegate* unmanaged[Cdecl]<nint, byte*, void*, nint> RegisterExecutionProviderLibrary;
    public readonly delegate* unmanaged[Cdecl]<nint, nint, nint*, nint> CreateSyncStreamForEpDevice;
    public readonly delegate* unmanaged[Cdecl]<nint, nint> SyncStreamGetHandle;
    public readonly delegate* unmanaged[Cdecl]<nint, void> ReleaseSyncStream;

    // Memory.
    public readonly delegate* unmanaged[Cdecl]<int, int, nint*, nint> CreateCpuMemoryInfo;
    public readonly delegate* unmanaged[Cdecl]<byte*, int, int, int, nint*, nint> CreateMemoryInfo;
    public readonly delegate* unmanaged[Cdecl]<nint, nint, nint*, nint> CreateAllocator;
    public readonly delegate* unmanaged[Cdecl]<nint, void> ReleaseAllocator;
    public readonly delegate* unmanaged[Cdecl]<nint, nuint, void**, nint> AllocatorAlloc;
    public readonly delegate* unmanaged[Cdecl]<nint, nint*, nint> AllocatorGetStats;
    public readonly delegate* unmanaged[Cdecl]<nint, byte*, byte*> GetKeyValue;
    public readonly delegate* unmanaged[Cdecl]<nint, void> ReleaseKeyValuePairs;
    public readonly delegate* unmanaged[Cdecl]<nint, void> ReleaseMemoryInfo;
    public readonly delegate* unmanaged[Cdecl]<nint, byte**, nint> MemoryInfoGetName;
    public readonly delegate* unmanaged[Cdecl]<nint, int*, void> MemoryInfoGetDeviceType;
    public readonly delegate* unmanaged[Cdecl]<nint, nint, int*, nint> CompareMemoryInfo;
    public readonly delegate* unmanaged[Cdecl]<nint*, nint> GetAllocatorWithDefaultOptions;
    public readonly delegate* unmanaged[Cdecl]<nint, void*, nint> AllocatorFree;
    public readonly delegate* unmanaged[Cdecl]<byte**, nuint*, nuint, nint*, nint> CreateArenaCfgV2;
    public readonly delegate* unmanaged[Cdecl]<nint, void> ReleaseArenaCfg;
    public readonly delegate* unmanaged[Cdecl]<nint, nint, nint, nint> CreateAndRegisterAllocator;
    public readonly delegate* unmanaged[Cdecl]<nint, byte*, nint, nint, byte**, byte**, nuint, nint> CreateAndRegisterAllocatorV2;

    // Values.
    public readonly delegate* unmanaged[Cdecl]<nint, void*, nuint, long*, nuint, int, nint*, nint> CreateTensorWithDataAsOrtValue;
    public readonly delegate* unmanaged[Cdecl]<nint, void**, nint> GetTensorMutableData;
    public readonly delegate* unmanaged[Cdecl]<nint, int*, long**, nuint*, nint> GetTensorElementTypeAndShapeDataReference;
    public readonly delegate* unmanaged[Cdecl]<nint, nint*, nint> GetTensorMemoryInfo;
    public readonly delegate* unmanaged[Cdecl]<nint, nint*, nint*, nint, nuint, nint> CopyTensors;
    public readonly delegate* unmanaged[Cdecl]<nint, void> ReleaseValue;

    // Session options.
    public readonly delegate* unmanaged[Cdecl]<nint*, nint> CreateSessionOptions;
    public readonly delegate* unmanaged[Cdecl]<nint, void> ReleaseSessionOptions;
    public readonly delegate* unmanaged[Cdecl]<nint, nint> DisablePerSessionThreads;
    public readonly delegate* unmanaged[Cdecl]<nint, void*, nint> EnableProfiling;
    public readonly delegate* unmanaged[Cdecl]<nint, int, nint> SetSessionGraphOptimizationLevel;
    public readonly delegate* unmanaged[Cdecl]<nint, byte*, byte*, nint> AddSessionConfigEntry;
    public readonly delegate* unmanaged[Cdecl]<nint, byte*, nint, nint> AddInitializer;
    public readonly delegate* unmanaged[Cdecl]<nint, byte**, nint*, nuint, nint> AddExternalInitializers;
    public readonly delegate* unmanaged[Cdecl]<nint*, nint> CreateCudaProviderOptions;
    public readonly delegate* unmanaged[Cdecl]<nint, byte**, byte**, nuint, nint> UpdateCudaProviderOptions;
    public readonly delegate* unmanaged[Cdecl]<nint, byte*, void*, nint> UpdateCudaProviderOptionsWithValue;
    public readonly delegate* unmanaged[Cdecl]<nint, void> ReleaseCudaProviderOptions;
    public readonly delegate* unmanaged[Cdecl]<nint, nint, nint> AppendCudaExecutionProvider;
    public readonly delegate* unmanaged[Cdecl]<nint, byte*, byte**, byte**, nuint, nint> AppendExecutionProvider;

    // Sessions.
    public readonly delegate* unmanaged[Cdecl]<nint*, nint> CreatePrepackedWeightsContainer;
    public readonly delegate* unmanaged[Cdecl]<nint, void> ReleasePrepackedWeightsContainer;
    public readonly delegate* unmanaged[Cdecl]<nint, void*, nuint, nint, nint*, nint> CreateSessionFromArray;
    public readonly delegate* unmanaged[Cdecl]<nint, void*, nuint, nint, nint, nint*, nint> CreateSessionFromArrayWithPrepackedWeightsContainer;
    public readonly delegate* unmanaged[Cdecl]<nint, void> ReleaseSession;
    public readonly delegate* unmanaged[Cdecl]<nint, nuint*, nint> SessionGetInputCount;
    public readonly delegate* unmanaged[Cdecl]<nint, nuint*, nint> SessionGetOutputCount;
    public readonly delegate* unmanaged[Cdecl]<nint, nuint, nint, byte**, nint> SessionGetInputName;
    public readonly delegate* unmanaged[Cdecl]<nint, nuint, nint, byte**, nint> SessionGetOutputName;
    public readonly delegate* unmanaged[Cdecl]<nint, nint*, nuint, nint> SessionGetMemoryInfoForInputs;
    public readonly delegate* unmanaged[Cdecl]<nint, nint*, nuint, nint> SessionGetMemoryInfoForOutputs;
    public readonly delegate* unmanaged[Cdecl]<nint, nint**, nuint*, nint> SessionGetEpGraphAssignmentInfo;
    public readonly delegate* unmanaged[Cdecl]<nint, byte**, nint> EpAssignedSubgraphGetEpName;
    public readonly delegate* unmanaged[Cdecl]<nint, nint**, nuint*, nint> EpAssignedSubgraphGetNodes;
    public readonly delegate* unmanaged[Cdecl]<nint, byte**, nint> EpAssignedNodeGetName;
    public readonly delegate* unmanaged[Cdecl]<nint, byte**, nint> EpAssignedNodeGetOperatorType;

    // Bindings and runs.
    public readonly delegate* unmanaged[Cdecl]<nint, nint*, nint> CreateIoBinding;
    public readonly delegate* unmanaged[Cdecl]<nint, void> ReleaseIoBinding;
    public readonly delegate* unmanaged[Cdecl]<nint, byte*, nint, nint> BindInput;
    public readonly delegate* unmanaged[Cdecl]<nint, byte*, nint, nint> BindOutput;
    public readonly delegate* unmanaged[Cdecl]<nint, nint> SynchronizeBoundOutputs;
    public readonly delegate* unmanaged[Cdecl]<nint, int, nint> SessionReleaseCapturedGraph;
    public readonly delegate* unmanaged[Cdecl]<nint, void> ClearBoundInputs;
    public readonly delegate* unmanaged[Cdecl]<nint, void> ClearBoundOutputs;
    public readonly delegate* unmanaged[Cdecl]<nint*, nint> CreateRunOptions;
    public readonly delegate* unmanaged[Cdecl]<nint, void> ReleaseRunOptions;
    public readonly delegate* unmanaged[Cdecl]<nint, nint> RunOptionsSetTerminate;
    public readonly delegate* unmanaged[Cdecl]<nint, nint> RunOptionsUnsetTerminate;
    public readonly delegate* unmanaged[Cdecl]<nint, byte*, byte*, nint> AddRunConfigEntry;
    public readonly delegate* unmanaged[Cdecl]<nint, nint, nint, nint> RunWithBinding;

    /// <summary>Reads the table.</summary>
    /// <param name="table">What <c>GetApi(30)</c> returned; not null.</param>
    /// <exception cref="OnnxRuntimeNotFoundException">A slot is empty: the library is damaged or a cut-down build.</exception>
    public OrtApi(nint* table)
    {
        GetErrorCode = (delegate* unmanaged[Cdecl]<nint, int>)Slot(1);
        GetErrorMessage = (delegate* unmanaged[Cdecl]<nint, byte*>)Slot(2);
        ReleaseStatus = (delegate* unmanaged[Cdecl]<nint, void>)Slot(93);

        CreateEnvWithGlobalThreadPools = (delegate* unmanaged[Cdecl]<int, byte*, nint, nint*, nint>)Slot(119);
        ReleaseEnv = (delegate* unmanaged[Cdecl]<nint, void>)Slot(92);
        DisableTelemetryEvents = (delegate* unmanaged[Cdecl]<nint, nint>)Slot(6);
        CreateThreadingOptions = (delegate* unmanaged[Cdecl]<nint*, nint>)Slot(121);
        ReleaseThreadingOptions = (delegate* unmanaged[Cdecl]<nint, void>)Slot(122);
        SetGlobalIntraOpNumThreads = (delegate* unmanaged[Cdecl]<nint, int, nint>)Slot(147);
        SetGlobalInterOpNumThreads = (delegate* unmanaged[Cdecl]<nint, int, nint>)Slot(148);
        SetGlobalSpinControl = (delegate* unmanaged[Cdecl]<nint, int, nint>)Slot(149);
        GetAvailableProviders = (delegate* unmanaged[Cdecl]<byte***, int*, nint>)Slot(125);
        ReleaseAvailableProviders = (delegate* unmanaged[Cdecl]<byte**, int, nint>)Slot(126);
        GetEpDevices = (delegate* unmanaged[Cdecl]<nint, nint**, nuint*, nint>)Slot(303);
        EpDeviceEpName = (delegate* unmanaged[Cdecl]<nint, byte*>)Slot(312);
        EpDeviceDevice = (delegate* unmanaged[Cdecl]<nint, nint>)Slot(316);
        HardwareDeviceType = (delegate* unmanaged[Cdecl]<nint, int>)Slot(307);
        HardwareDeviceVendorId = (delegate* unmanaged[Cdecl]<nint, uint>)Slot(308);
        HardwareDeviceVendor = (delegate* unmanaged[Cdecl]<nint, byte*>)Slot(309);
        HardwareDeviceDeviceId = (delegate* unmanaged[Cdecl]<nint, uint>)Slot(310);
        RegisterExecutionProviderLibrary = (delegate* unmanaged[Cdecl]<nint, byte*, void*, nint>)Slot(301);
        CreateSyncStreamForEpDevice = (delegate* unmanaged[Cdecl]<nint, nint, nint*, nint>)Slot(383);
        SyncStreamGetHandle = (delegate* unmanaged[Cdecl]<nint, nint>)Slot(384);
        ReleaseSyncStream = (delegate* unmanaged[Cdecl]<nint, void>)Slot(385);

        CreateCpuMemoryInfo = (delegate* unmanaged[Cdecl]<int, int, nint*, nint>)Slot(69);
        CreateMemoryInfo = (delegate* unmanaged[Cdecl]<byte*, int, int, int, nint*, nint>)Slot(68);
        CreateAllocator = (delegate* unmanaged[Cdecl]<nint, nint, nint*, nint>)Slot(131);
        ReleaseAllocator = (delegate* unmanaged[Cdecl]<nint, void>)Slot(132);
        AllocatorAlloc = (delegate* unmanaged[Cdecl]<nint, nuint, void**, nint>)Slot(75);
        AllocatorGetStats = (delegate* unmanaged[Cdecl]<nint, nint*, nint>)Slot(319);
        GetKeyValue = (delegate* unmanaged[Cdecl]<nint, byte*, byte*>)Slot(297);
        ReleaseKeyValuePairs = (delegate* unmanaged[Cdecl]<nint, void>)Slot(300);
        ReleaseMemoryInfo = (delegate* unmanaged[Cdecl]<nint, void>)Slot(94);
        MemoryInfoGetName = (delegate* unmanaged[Cdecl]<nint, byte**, nint>)Slot(71);
        MemoryInfoGetDeviceType = (delegate* unmanaged[Cdecl]<nint, int*, void>)Slot(225);
        CompareMemoryInfo = (delegate* unmanaged[Cdecl]<nint, nint, int*, nint>)Slot(70);
        GetAllocatorWithDefaultOptions = (delegate* unmanaged[Cdecl]<nint*, nint>)Slot(78);
        AllocatorFree = (delegate* unmanaged[Cdecl]<nint, void*, nint>)Slot(76);
        CreateArenaCfgV2 = (delegate* unmanaged[Cdecl]<byte**, nuint*, nuint, nint*, nint>)Slot(164);
        ReleaseArenaCfg = (delegate* unmanaged[Cdecl]<nint, void>)Slot(157);
        CreateAndRegisterAllocator = (delegate* unmanaged[Cdecl]<nint, nint, nint, nint>)Slot(144);
        CreateAndRegisterAllocatorV2 = (delegate* unmanaged[Cdecl]<nint, byte*, nint, nint, byte**, byte**, nuint, nint>)Slot(259);

        CreateTensorWithDataAsOrtValue = (delegate* unmanaged[Cdecl]<nint, void*, nuint, long*, nuint, int, nint*, nint>)Slot(49);
        GetTensorMutableData = (delegate* unmanaged[Cdecl]<nint, void**, nint>)Slot(51);
        GetTensorElementTypeAndShapeDataReference = (delegate* unmanaged[Cdecl]<nint, int*, long**, nuint*, nint>)Slot(414);
        GetTensorMemoryInfo = (delegate* unmanaged[Cdecl]<nint, nint*, nint>)Slot(194);
        CopyTensors = (delegate* unmanaged[Cdecl]<nint, nint*, nint*, nint, nuint, nint>)Slot(386);
        ReleaseValue = (delegate* unmanaged[Cdecl]<nint, void>)Slot(96);

        CreateSessionOptions = (delegate* unmanaged[Cdecl]<nint*, nint>)Slot(10);
        ReleaseSessionOptions = (delegate* unmanaged[Cdecl]<nint, void>)Slot(100);
        DisablePerSessionThreads = (delegate* unmanaged[Cdecl]<nint, nint>)Slot(120);
        EnableProfiling = (delegate* unmanaged[Cdecl]<nint, void*, nint>)Slot(14);
        SetSessionGraphOptimizationLevel = (delegate* unmanaged[Cdecl]<nint, int, nint>)Slot(23);
        AddSessionConfigEntry = (delegate* unmanaged[Cdecl]<nint, byte*, byte*, nint>)Slot(130);
        AddInitializer = (delegate* unmanaged[Cdecl]<nint, byte*, nint, nint>)Slot(150);
        AddExternalInitializers = (delegate* unmanaged[Cdecl]<nint, byte**, nint*, nuint, nint>)Slot(210);
        CreateCudaProviderOptions = (delegate* unmanaged[Cdecl]<nint*, nint>)Slot(205);
        UpdateCudaProviderOptions = (delegate* unmanaged[Cdecl]<nint, byte**, byte**, nuint, nint>)Slot(206);
        UpdateCudaProviderOptionsWithValue = (delegate* unmanaged[Cdecl]<nint, byte*, void*, nint>)Slot(263);
        ReleaseCudaProviderOptions = (delegate* unmanaged[Cdecl]<nint, void>)Slot(208);
        AppendCudaExecutionProvider = (delegate* unmanaged[Cdecl]<nint, nint, nint>)Slot(204);
        AppendExecutionProvider = (delegate* unmanaged[Cdecl]<nint, byte*, byte**, byte**, nuint, nint>)Slot(216);

        CreatePrepackedWeightsContainer = (delegate* unmanaged[Cdecl]<nint*, nint>)Slot(166);
        ReleasePrepackedWeightsContainer = (delegate* unmanaged[Cdecl]<nint, void>)Slot(167);
        CreateSessionFromArray = (delegate* unmanaged[Cdecl]<nint, void*, nuint, nint, nint*, nint>)Slot(8);
        CreateSessionFromArrayWithPrepackedWeightsContainer = (delegate* unmanaged[Cdecl]<nint, void*, nuint, nint, nint, nint*, nint>)Slot(169);
        ReleaseSession = (delegate* unmanaged[Cdecl]<nint, void>)Slot(95);
        SessionGetInputCount = (delegate* unmanaged[Cdecl]<nint, nuint*, nint>)Slot(30);
        SessionGetOutputCount = (delegate* unmanaged[Cdecl]<nint, nuint*, nint>)Slot(31);
        SessionGetInputName = (delegate* unmanaged[Cdecl]<nint, nuint, nint, byte**, nint>)Slot(36);
        SessionGetOutputName = (delegate* unmanaged[Cdecl]<nint, nuint, nint, byte**, nint>)Slot(37);
        SessionGetMemoryInfoForInputs = (delegate* unmanaged[Cdecl]<nint, nint*, nuint, nint>)Slot(380);
        SessionGetMemoryInfoForOutputs = (delegate* unmanaged[Cdecl]<nint, nint*, nuint, nint>)Slot(381);
        SessionGetEpGraphAssignmentInfo = (delegate* unmanaged[Cdecl]<nint, nint**, nuint*, nint>)Slot(407);
        EpAssignedSubgraphGetEpName = (delegate* unmanaged[Cdecl]<nint, byte**, nint>)Slot(408);
        EpAssignedSubgraphGetNodes = (delegate* unmanaged[Cdecl]<nint, nint**, nuint*, nint>)Slot(409);
        EpAssignedNodeGetName = (delegate* unmanaged[Cdecl]<nint, byte**, nint>)Slot(410);
        EpAssignedNodeGetOperatorType = (delegate* unmanaged[Cdecl]<nint, byte**, nint>)Slot(412);

        CreateIoBinding = (delegate* unmanaged[Cdecl]<nint, nint*, nint>)Slot(134);
        ReleaseIoBinding = (delegate* unmanaged[Cdecl]<nint, void>)Slot(135);
        BindInput = (delegate* unmanaged[Cdecl]<nint, byte*, nint, nint>)Slot(136);
        BindOutput = (delegate* unmanaged[Cdecl]<nint, byte*, nint, nint>)Slot(137);
        SynchronizeBoundOutputs = (delegate* unmanaged[Cdecl]<nint, nint>)Slot(203);
        SessionReleaseCapturedGraph = (delegate* unmanaged[Cdecl]<nint, int, nint>)Slot(421);
        ClearBoundInputs = (delegate* unmanaged[Cdecl]<nint, void>)Slot(141);
        ClearBoundOutputs = (delegate* unmanaged[Cdecl]<nint, void>)Slot(142);
        CreateRunOptions = (delegate* unmanaged[Cdecl]<nint*, nint>)Slot(39);
        ReleaseRunOptions = (delegate* unmanaged[Cdecl]<nint, void>)Slot(97);
        RunOptionsSetTerminate = (delegate* unmanaged[Cdecl]<nint, nint>)Slot(46);
        RunOptionsUnsetTerminate = (delegate* unmanaged[Cdecl]<nint, nint>)Slot(47);
        AddRunConfigEntry = (delegate* unmanaged[Cdecl]<nint, byte*, byte*, nint>)Slot(165);
        RunWithBinding = (delegate* unmanaged[Cdecl]<nint, nint, nint, nint>)Slot(133);

        void* Slot(int index) => table[index] != 0
            ? (void*)table[index]
            : throw new OnnxRuntimeNotFoundException($"Function {index} is missing from the API table of the ONNX Runtime library that was loaded; it is damaged or a cut-down build. Use an official build of version 1.{Version} or later.");
    }

    /// <summary>The table of the process's one library; the first use loads it.</summary>
    /// <exception cref="OnnxRuntimeNotFoundException">There is no such library.</exception>
    /// <exception cref="OnnxRuntimeVersionException">The library is too old.</exception>
    public static OrtApi Current
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _current ?? Load();
    }

    private static OrtApi? _current;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static OrtApi Load() => _current = OnnxRuntimeImage.Loaded.Api;
}
