using System.Runtime.InteropServices;

namespace Espalier.Imaging.Native;

/// <summary>
/// The functions of libvips and GLib that decoding needs, loaded at first use. None is variadic: a variadic C function
/// cannot be called from .NET on every system.
/// </summary>
internal sealed unsafe class Libvips
{
    private const int LogLevelMask = ~0x3;

    private static readonly Lock Gate = new();
    private static volatile Libvips? _instance;

    public readonly delegate* unmanaged<nint> ErrorBufferCopy;
    public readonly delegate* unmanaged<void> ThreadShutdown;
    public readonly delegate* unmanaged<byte*, nint> OperationNew;
    public readonly delegate* unmanaged<nint, int> ObjectBuild;
    public readonly delegate* unmanaged<nint, void> ObjectUnrefOutputs;
    public readonly delegate* unmanaged<nint, byte*, byte*, int> ObjectSetArgumentFromString;
    public readonly delegate* unmanaged<nint, void*, nuint, nint> BlobNew;
    public readonly delegate* unmanaged<nint, void> AreaUnref;
    public readonly delegate* unmanaged<nint, int> ImageWidth;
    public readonly delegate* unmanaged<nint, int> ImageHeight;
    public readonly delegate* unmanaged<nint, int> ImageBands;
    public readonly delegate* unmanaged<nint, int> ImageFormat;
    public readonly delegate* unmanaged<nint, int> ImageHasAlpha;
    public readonly delegate* unmanaged<nint, int> ImageOrientation;
    public readonly delegate* unmanaged<nint, nint> ImageCopyMemory;
    public readonly delegate* unmanaged<nint, nuint*, nint> ImageWriteToMemory;
    public readonly delegate* unmanaged<nint, byte*, GValue*, void> ObjectSetProperty;
    public readonly delegate* unmanaged<nint, byte*, GValue*, void> ObjectGetProperty;
    public readonly delegate* unmanaged<nint, nint> ObjectRef;
    public readonly delegate* unmanaged<nint, void> ObjectUnref;
    public readonly delegate* unmanaged<GValue*, nuint, GValue*> ValueInit;
    public readonly delegate* unmanaged<GValue*, void> ValueUnset;
    public readonly delegate* unmanaged<GValue*, nint, void> ValueSetObject;
    public readonly delegate* unmanaged<GValue*, nint> ValueGetObject;
    public readonly delegate* unmanaged<GValue*, nint, void> ValueSetBoxed;
    public readonly delegate* unmanaged<nint, void> Free;

    /// <summary>The type number of images.</summary>
    public readonly nuint ImageType;

    /// <summary>The type number of byte blobs.</summary>
    public readonly nuint BlobType;

    private Libvips(nint library)
    {
        ErrorBufferCopy = (delegate* unmanaged<nint>)Export(library, "vips_error_buffer_copy");
        ThreadShutdown = (delegate* unmanaged<void>)Export(library, "vips_thread_shutdown");
        OperationNew = (delegate* unmanaged<byte*, nint>)Export(library, "vips_operation_new");
        ObjectBuild = (delegate* unmanaged<nint, int>)Export(library, "vips_object_build");
        ObjectUnrefOutputs = (delegate* unmanaged<nint, void>)Export(library, "vips_object_unref_outputs");
        ObjectSetArgumentFromString = (delegate* unmanaged<nint, byte*, byte*, int>)Export(library, "vips_object_set_argument_from_string");
        BlobNew = (delegate* unmanaged<nint, void*, nuint, nint>)Export(library, "vips_blob_new");
        AreaUnref = (delegate* unmanaged<nint, void>)Export(library, "vips_area_unref");
        ImageWidth = (delegate* unmanaged<nint, int>)Export(library, "vips_image_get_width");
        ImageHeight = (delegate* unmanaged<nint, int>)Export(library, "vips_image_get_height");
        ImageBands = (delegate* unmanaged<nint, int>)Export(library, "vips_image_get_bands");
        ImageFormat = (delegate* unmanaged<nint, int>)Export(library, "vips_image_get_format");
        ImageHasAlpha = (delegate* unmanaged<nint, int>)Export(library, "vips_image_hasalpha");
        ImageOrientation = (delegate* unmanaged<nint, int>)Export(library, "vips_image_get_orientation");
        ImageCopyMemory = (delegate* unmanaged<nint, nint>)Export(library, "vips_image_copy_memory");
        ImageWriteToMemory = (delegate* unmanaged<nint, nuint*, nint>)Export(library, "vips_image_write_to_memory");
        ObjectSetProperty = (delegate* unmanaged<nint, byte*, GValue*, void>)Export(library, "g_object_set_property");
        ObjectGetProperty = (delegate* unmanaged<nint, byte*, GValue*, void>)Export(library, "g_object_get_property");
        ObjectRef = (delegate* unmanaged<nint, nint>)Export(library, "g_object_ref");
        ObjectUnref = (delegate* unmanaged<nint, void>)Export(library, "g_object_unref");
        ValueInit = (delegate* unmanaged<GValue*, nuint, GValue*>)Export(library, "g_value_init");
        ValueUnset = (delegate* unmanaged<GValue*, void>)Export(library, "g_value_unset");
        ValueSetObject = (delegate* unmanaged<GValue*, nint, void>)Export(library, "g_value_set_object");
        ValueGetObject = (delegate* unmanaged<GValue*, nint>)Export(library, "g_value_get_object");
        ValueSetBoxed = (delegate* unmanaged<GValue*, nint, void>)Export(library, "g_value_set_boxed");
        Free = (delegate* unmanaged<nint, void>)Export(library, "g_free");

        var setLogHandler = (delegate* unmanaged<byte*, int, delegate* unmanaged<nint, int, nint, nint, void>, nint, uint>)Export(library, "g_log_set_handler");
        var initialize = (delegate* unmanaged<byte*, int>)Export(library, "vips_init");
        var blockUntrusted = (delegate* unmanaged<int, void>)Export(library, "vips_block_untrusted_set");
        var imageType = (delegate* unmanaged<nuint>)Export(library, "vips_image_get_type");
        var blobType = (delegate* unmanaged<nuint>)Export(library, "vips_blob_get_type");
        fixed (byte* name = "Espalier\0"u8, domain = "VIPS\0"u8)
        {
            if (initialize(name) != 0)
            {
                throw LibvipsLocation.Unavailable($"libvips could not be initialised: {TakeError()}");
            }

            // Warnings about odd files would go to standard error; what matters is in the exceptions.
            _ = setLogHandler(domain, LogLevelMask, &Discard, 0);
        }

        blockUntrusted(1);
        ImageType = imageType();
        BlobType = blobType();
    }

    /// <summary>The library, loaded and initialised on first use and never unloaded.</summary>
    /// <exception cref="ImageException">It cannot be loaded. The next use tries again.</exception>
    public static Libvips Instance
    {
        get
        {
            if (_instance is { } loaded)
            {
                return loaded;
            }

            lock (Gate)
            {
                return _instance ??= new Libvips(LibvipsLocation.Load());
            }
        }
    }

    /// <summary>Takes the pending error text. The buffer belongs to the process: text of another thread's failure at the same moment may be in it.</summary>
    public string TakeError()
    {
        nint text = ErrorBufferCopy();
        string? message = Marshal.PtrToStringUTF8(text);
        Free(text);
        return string.IsNullOrWhiteSpace(message) ? "libvips gave no reason" : message.Trim().ReplaceLineEndings("; ");
    }

    [UnmanagedCallersOnly]
    private static void Discard(nint domain, int level, nint message, nint data)
    {
    }

    private static nint Export(nint library, string name)
        => NativeLibrary.TryGetExport(library, name, out nint address)
            ? address
            : throw LibvipsLocation.Unavailable($"the loaded libvips has no function '{name}'; use libvips 8.13 or later, or remove the environment variable {LibvipsLocation.Variable}");
}
