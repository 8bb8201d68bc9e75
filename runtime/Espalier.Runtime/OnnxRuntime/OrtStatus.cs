using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Espalier.OnnxRuntime;

/// <summary>Turns an <c>OrtStatus*</c> into an exception, and releases it.</summary>
internal static unsafe class OrtStatus
{
    /// <summary>Throws if a call failed; otherwise a compare and a branch that is not taken.</summary>
    /// <param name="status">What the call returned; owned by this method.</param>
    /// <param name="operation">What was tried, as a verb phrase; a literal, so that success costs nothing.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Check(nint status, string operation)
    {
        if (status != 0)
        {
            Throw(status, operation);
        }
    }

    /// <summary>Reads a failed status and releases it.</summary>
    public static OrtException Read(nint status, string operation)
    {
        OrtApi api = OrtApi.Current;
        var code = (OrtErrorCode)api.GetErrorCode(status);
        string message = Marshal.PtrToStringUTF8((nint)api.GetErrorMessage(status)) ?? "";
        api.ReleaseStatus(status);
        return new OrtException(code, message, operation);
    }

    [DoesNotReturn]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Throw(nint status, string operation) => throw Read(status, operation);
}
