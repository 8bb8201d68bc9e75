namespace Espalier.OnnxRuntime;

/// <summary>
/// Weights as the CPU kernels want them, shared between sessions. A session that is created with it reuses what an
/// earlier one packed from the same initializer (<see cref="OrtSessionOptions.AddInitializer"/>): the second kind of a
/// layer then costs 5 MB instead of another copy. Packing still takes its time. Sessions keep it alive.
/// Sessions may be created with it from several threads.
/// </summary>
internal sealed unsafe class PrepackedWeights : OrtHandle
{
    private PrepackedWeights(nint native)
        : base(native)
    {
    }

    /// <summary>Creates an empty container.</summary>
    public static PrepackedWeights Create()
    {
        nint native;
        OrtStatus.Check(OrtApi.Current.CreatePrepackedWeightsContainer(&native), "create the container of packed weights");
        return new PrepackedWeights(native);
    }

    private protected override void Release(OrtApi api, nint native) => api.ReleasePrepackedWeightsContainer(native);
}
