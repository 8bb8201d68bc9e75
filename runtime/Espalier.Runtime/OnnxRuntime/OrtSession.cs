using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Espalier.OnnxRuntime;

/// <summary>A graph that is ready to run. It keeps the environment, its weights and their packed form alive. Thread-safe: runs with different bindings may overlap.</summary>
internal sealed unsafe class OrtSession : OrtHandle
{
    private readonly ExecutionProvider _provider;
    private readonly bool _takesTurns;

    private OrtSession(nint native, ReadOnlySpan<SafeHandle> parents, string[] inputs, string[] outputs, ExecutionProvider provider, bool capturesRuns)
        : base(native, parents)
    {
        _provider = provider;
        _takesTurns = !provider.UsesHostMemory;
        CapturesRuns = capturesRuns;
        InputNames = inputs;
        OutputNames = outputs;
    }

    /// <summary>See <see cref="OrtSessionOptions.CapturesRuns"/>.</summary>
    public bool CapturesRuns { get; }

    /// <summary>The names of the graph's inputs, in its order.</summary>
    public IReadOnlyList<string> InputNames { get; }

    /// <summary>The names of the graph's outputs, in its order.</summary>
    public IReadOnlyList<string> OutputNames { get; }

    /// <summary>Creates a session: 1 to 3 milliseconds, and the time to pack its weights.</summary>
    /// <param name="model">The ONNX model's bytes; copied.</param>
    /// <param name="options">The device, the weights and settings.</param>
    /// <param name="prepacked">Shares packed weights with other sessions of the CPU; null packs for this session alone.</param>
    /// <exception cref="OrtException">The bytes are not a model that this library can run.</exception>
    public static OrtSession Create(ReadOnlySpan<byte> model, OrtSessionOptions options, PrepackedWeights? prepacked = null)
    {
        OrtApi api = OrtApi.Current;
        OrtEnvironment environment = OrtEnvironment.Shared;
        using var environmentLease = new HandleLease(environment);
        using var optionsLease = new HandleLease(options);
        using var prepackedLease = new HandleLease(prepacked);

        // The options hold only pointers to the weights, and the session goes on using them.
        var parents = new List<SafeHandle> { environment };
        if (prepacked is not null)
        {
            parents.Add(prepacked);
        }

        parents.AddRange(options.Initializers);
        int held = 0;
        try
        {
            foreach (SafeHandle parent in parents)
            {
                bool added = false;
                parent.DangerousAddRef(ref added);
                held++;
            }

            nint native;
            fixed (byte* bytes = model)
            {
                nint status;
                if (!options.Provider.UsesHostMemory)
                {
                    lock (DeviceGate.Gate)
                    {
                        status = api.CreateSessionFromArray(environmentLease.Pointer, bytes, (nuint)model.Length, optionsLease.Pointer, &native);
                    }
                }
                else if (prepacked is null)
                {
                    status = api.CreateSessionFromArray(environmentLease.Pointer, bytes, (nuint)model.Length, optionsLease.Pointer, &native);
                }
                else
                {
                    status = api.CreateSessionFromArrayWithPrepackedWeightsContainer(environmentLease.Pointer, bytes, (nuint)model.Length, optionsLease.Pointer, prepackedLease.Pointer, &native);
                }

                OrtStatus.Check(status, "create the session");
            }

            try
            {
                return new OrtSession(native, CollectionsMarshal.AsSpan(parents), ReadNames(native, inputs: true), ReadNames(native, inputs: false), options.Provider, options.CapturesRuns);
            }
            catch
            {
                api.ReleaseSession(native);
                throw;
            }
        }
        finally
        {
            for (int i = 0; i < held; i++)
            {
                parents[i].DangerousRelease();
            }
        }
    }

    /// <summary>Runs the graph on what is bound. Allocates nothing managed.</summary>
    /// <param name="binding">A binding of this session.</param>
    /// <param name="options">Options; null for none.</param>
    /// <exception cref="OrtException">A tensor is missing or does not fit, or a kernel failed.</exception>
    /// <exception cref="DeviceMemoryException">The device has run out of memory.</exception>
    /// <exception cref="OperationCanceledException">The run stopped because of <see cref="OrtRunOptions.Terminate"/>; the outputs are undefined, the session can run again.</exception>
    public void Run(OrtBinding binding, OrtRunOptions? options = null)
    {
        if (!ReferenceEquals(binding.Session, this))
        {
            ThrowForeignBinding();
        }

        // The binding holds the session open.
        using var bindingLease = new HandleLease(binding);
        using var optionsLease = new HandleLease(options);
        nint status;
        if (!_takesTurns)
        {
            status = OrtApi.Current.RunWithBinding(handle, optionsLease.Pointer, bindingLease.Pointer);
        }
        else
        {
            lock (DeviceGate.Gate)
            {
                status = OrtApi.Current.RunWithBinding(handle, optionsLease.Pointer, bindingLease.Pointer);
            }
        }

        if (status != 0)
        {
            ThrowFailedRun(status, options, _provider);
        }
    }

    /// <summary>Forgets the captured runs of an id, as far as the device does: it may keep them as long as the session. No run may use the id again.</summary>
    public void ReleaseCapturedRuns(int id)
    {
        using var lease = new HandleLease(this);
        OrtStatus.Check(OrtApi.Current.SessionReleaseCapturedGraph(lease.Pointer, id), "forget captured runs");
    }

    /// <summary>Where each input of the graph is read: an <c>OrtMemoryInfo*</c> each, valid while the session lives.</summary>
    public nint[] InputMemory()
    {
        using var lease = new HandleLease(this);
        var memory = new nint[InputNames.Count];
        fixed (nint* first = memory)
        {
            OrtStatus.Check(OrtApi.Current.SessionGetMemoryInfoForInputs(lease.Pointer, first, (nuint)memory.Length), "read where the inputs lie");
        }

        return memory;
    }

    /// <summary>The operators of the graph that another provider runs; the session's options must record the assignment.</summary>
    /// <param name="provider">ONNX Runtime's name of the provider that was to run all of them.</param>
    public IReadOnlyList<string> OperatorsOutside(string provider)
    {
        using var lease = new HandleLease(this);
        OrtApi api = OrtApi.Current;
        nint* parts;
        nuint partCount;
        OrtStatus.Check(api.SessionGetEpGraphAssignmentInfo(lease.Pointer, &parts, &partCount), "read where the nodes run");
        var outside = new SortedSet<string>(StringComparer.Ordinal);
        for (nuint part = 0; part < partCount; part++)
        {
            byte* name;
            nint* nodes;
            nuint nodeCount;
            OrtStatus.Check(api.EpAssignedSubgraphGetEpName(parts[part], &name), "read where the nodes run");
            if (Marshal.PtrToStringUTF8((nint)name) == provider)
            {
                continue;
            }

            OrtStatus.Check(api.EpAssignedSubgraphGetNodes(parts[part], &nodes, &nodeCount), "read where the nodes run");
            for (nuint node = 0; node < nodeCount; node++)
            {
                byte* type;
                OrtStatus.Check(api.EpAssignedNodeGetOperatorType(nodes[node], &type), "read where the nodes run");
                outside.Add(Marshal.PtrToStringUTF8((nint)type) ?? "");
            }
        }

        return [.. outside];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ThrowForeignBinding() => throw new ArgumentException("The binding belongs to another session.", "binding");

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ThrowFailedRun(nint status, OrtRunOptions? options, ExecutionProvider provider)
    {
        OrtException failure = OrtStatus.Read(status, "run the session");
        throw options is { IsTerminated: true } ? new OperationCanceledException("The run was terminated.", failure) : provider.Explain(failure) ?? failure;
    }

    private static string[] ReadNames(nint session, bool inputs)
    {
        OrtApi api = OrtApi.Current;
        nint allocator;
        OrtStatus.Check(api.GetAllocatorWithDefaultOptions(&allocator), "get the default allocator");
        nuint count;
        OrtStatus.Check(inputs ? api.SessionGetInputCount(session, &count) : api.SessionGetOutputCount(session, &count), "count the inputs and outputs");
        var names = new string[(int)count];
        for (int i = 0; i < names.Length; i++)
        {
            byte* name;
            OrtStatus.Check(inputs ? api.SessionGetInputName(session, (nuint)i, allocator, &name) : api.SessionGetOutputName(session, (nuint)i, allocator, &name), "read the name of an input or output");
            names[i] = Marshal.PtrToStringUTF8((nint)name) ?? "";
            OrtStatus.Check(api.AllocatorFree(allocator, name), "free a name");
        }

        return names;
    }

    private protected override void Release(OrtApi api, nint native)
    {
        if (!_takesTurns)
        {
            api.ReleaseSession(native);
            return;
        }

        lock (DeviceGate.Gate)
        {
            api.ReleaseSession(native);
        }
    }
}
