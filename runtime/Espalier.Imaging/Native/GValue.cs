using System.Runtime.InteropServices;

namespace Espalier.Imaging.Native;

/// <summary>GLib's variant: a type and two words. All zeros until g_value_init.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct GValue
{
    public nuint Type;
    public ulong First;
    public ulong Second;
}
