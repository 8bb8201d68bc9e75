using System.Globalization;
using System.Runtime.InteropServices;

namespace Espalier.OnnxRuntime;

/// <summary>The GPUs that ONNX Runtime finds in this machine, whether or not a driver reaches them. SwiftShader is none.</summary>
internal static unsafe class HardwareGpus
{
    private const int Gpu = 1;

    /// <summary>One description a GPU that a provider could run on: its vendor, and the numbers of vendor and device.</summary>
    public static IReadOnlyList<string> Of(ExecutionProvider provider)
    {
        OrtApi api = OrtApi.Current;
        using var lease = new HandleLease(OrtEnvironment.Shared);
        nint* devices;
        nuint count;
        OrtStatus.Check(api.GetEpDevices(lease.Pointer, &devices, &count), "list the devices");
        var found = new List<string>();
        for (nuint i = 0; i < count; i++)
        {
            nint hardware = api.EpDeviceDevice(devices[i]);
            if (api.HardwareDeviceType(hardware) == Gpu && Marshal.PtrToStringUTF8((nint)api.EpDeviceEpName(devices[i])) == provider.Name)
            {
                string vendor = Marshal.PtrToStringUTF8((nint)api.HardwareDeviceVendor(hardware)) is { Length: > 0 } named ? named : "unknown vendor";
                found.Add(string.Create(CultureInfo.InvariantCulture, $"{vendor} {api.HardwareDeviceVendorId(hardware):x4}:{api.HardwareDeviceDeviceId(hardware):x4}"));
            }
        }

        return found;
    }
}
