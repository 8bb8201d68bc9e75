using Espalier.OnnxRuntime;

namespace Espalier.Tests;

/// <summary>Whether CUDA can be used on this machine.</summary>
internal static class CudaHere
{
    /// <summary>Why not; null if it can.</summary>
    public static string? Missing { get; } = Find();

    private static string? Find()
    {
        // Asked of the file first: it costs nothing where there is no GPU, which is nearly everywhere.
        string file = CudaStream.LibraryFile(OnnxRuntimeLibrary.Path);
        if (Path.IsPathRooted(file) && !File.Exists(file))
        {
            return $"CUDA needs an NVIDIA GPU and {Path.GetFileName(file)} beside the core library (-p:OnnxRuntime=Gpu); that file is not there.";
        }

        try
        {
            ((CudaExecutionProvider)Device.Cuda.Provider).RequireAvailable();
            return null;
        }
        catch (EspalierException e)
        {
            return e.Message;
        }
    }
}

/// <summary>A test on an NVIDIA GPU; where there is none, it is shown as skipped.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class CudaFactAttribute : FactAttribute
{
    public CudaFactAttribute() => Skip = CudaHere.Missing;
}

/// <summary>Tests on an NVIDIA GPU; where there is none, they are shown as skipped.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class CudaTheoryAttribute : TheoryAttribute
{
    public CudaTheoryAttribute() => Skip = CudaHere.Missing;
}
