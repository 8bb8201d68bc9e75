using System.Runtime.InteropServices;

namespace Espalier.OnnxRuntime;

/// <summary>Which allocator of a device is meant (<c>OrtAllocatorType</c>).</summary>
internal enum OrtAllocatorType
{
    /// <summary>The device's own.</summary>
    Device = 0,

    /// <summary>An arena over it.</summary>
    Arena = 1,
}

/// <summary>Says where a tensor's bytes lie: on the host, or on a device that the host cannot touch.</summary>
internal sealed unsafe class OrtMemoryInfo : OrtHandle
{
    private static readonly Lock Gate = new();
    private static OrtMemoryInfo? _cpu;

    private OrtMemoryInfo(nint native)
        : base(native)
    {
    }

    /// <summary>Host memory. One object for the process, never disposed.</summary>
    public static OrtMemoryInfo Cpu
    {
        get
        {
            return _cpu ?? CreateShared();

            static OrtMemoryInfo CreateShared()
            {
                lock (Gate)
                {
                    return _cpu ??= CreateCpu(OrtAllocatorType.Device);
                }
            }
        }
    }

    /// <summary>Host memory of an allocator type.</summary>
    public static OrtMemoryInfo CreateCpu(OrtAllocatorType allocator)
    {
        nint native;
        OrtStatus.Check(OrtApi.Current.CreateCpuMemoryInfo((int)allocator, 0, &native), "describe host memory");
        return new OrtMemoryInfo(native);
    }

    /// <summary>ONNX Runtime's name of a memory.</summary>
    public static string NameOf(nint info)
    {
        byte* name;
        OrtStatus.Check(OrtApi.Current.MemoryInfoGetName(info, &name), "read the name of a memory");
        return Marshal.PtrToStringUTF8((nint)name) ?? "";
    }

    /// <summary>True for memory of the host, pinned or not.</summary>
    public static bool IsHost(nint info)
    {
        int type;
        OrtApi.Current.MemoryInfoGetDeviceType(info, &type);
        return type == 0;
    }

    /// <summary>True if two memories are the same.</summary>
    public static bool AreEqual(nint first, nint second)
    {
        int difference;
        OrtStatus.Check(OrtApi.Current.CompareMemoryInfo(first, second, &difference), "compare two memories");
        return difference == 0;
    }

    private protected override void Release(OrtApi api, nint native) => api.ReleaseMemoryInfo(native);
}
