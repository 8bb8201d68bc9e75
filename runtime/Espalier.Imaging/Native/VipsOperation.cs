namespace Espalier.Imaging.Native;

/// <summary>
/// One libvips operation: set its arguments, run it, take its image. Operations are built directly and not through
/// the operation cache, which would keep pointers to the caller's bytes beyond the call.
/// </summary>
internal sealed unsafe class VipsOperation : GObjectHandle
{
    private VipsOperation(nint operation)
        : base(operation)
    {
    }

    /// <summary>Creates an operation by name. All names are literals with a terminating zero.</summary>
    public static VipsOperation Create(ReadOnlySpan<byte> name)
    {
        Libvips vips = Libvips.Instance;
        fixed (byte* namePointer = name)
        {
            nint operation = vips.OperationNew(namePointer);
            return operation != 0
                ? new VipsOperation(operation)
                : throw LibvipsLocation.Unavailable($"the loaded libvips lacks what decoding needs: {vips.TakeError()}");
        }
    }

    /// <summary>Sets a number, an enumeration or a list of numbers, as text.</summary>
    public VipsOperation With(ReadOnlySpan<byte> argument, ReadOnlySpan<byte> value)
    {
        Libvips vips = Libvips.Instance;
        fixed (byte* argumentPointer = argument, valuePointer = value)
        {
            if (vips.ObjectSetArgumentFromString(Pointer, argumentPointer, valuePointer) != 0)
            {
                throw LibvipsLocation.Unavailable($"the loaded libvips does not take an argument that decoding needs: {vips.TakeError()}");
            }
        }

        return this;
    }

    /// <summary>Sets the input image.</summary>
    public VipsOperation With(GObjectHandle image)
    {
        Libvips vips = Libvips.Instance;
        GValue value = default;
        vips.ValueInit(&value, vips.ImageType);
        vips.ValueSetObject(&value, image.Pointer);
        SetProperty(vips, "in\0"u8, &value);
        return this;
    }

    /// <summary>Sets the input bytes. Nothing is copied: they must stay in place until every image that came of them is disposed.</summary>
    public VipsOperation With(byte* bytes, int length)
    {
        Libvips vips = Libvips.Instance;
        nint blob = vips.BlobNew(0, bytes, (nuint)length);
        GValue value = default;
        vips.ValueInit(&value, vips.BlobType);
        vips.ValueSetBoxed(&value, blob);
        SetProperty(vips, "buffer\0"u8, &value);
        vips.AreaUnref(blob);
        return this;
    }

    /// <summary>Runs the operation. Pixels are computed later, when the image is written.</summary>
    /// <returns>The output image, or null if the operation failed; the reason is then in the error buffer.</returns>
    public GObjectHandle? Run()
    {
        Libvips vips = Libvips.Instance;
        int status = vips.ObjectBuild(Pointer);
        GObjectHandle? image = null;
        if (status == 0)
        {
            GValue value = default;
            vips.ValueInit(&value, vips.ImageType);
            fixed (byte* name = "out\0"u8)
            {
                vips.ObjectGetProperty(Pointer, name, &value);
            }

            image = new GObjectHandle(vips.ObjectRef(vips.ValueGetObject(&value)));
            vips.ValueUnset(&value);
        }

        vips.ObjectUnrefOutputs(Pointer);
        return image;
    }

    private void SetProperty(Libvips vips, ReadOnlySpan<byte> name, GValue* value)
    {
        fixed (byte* namePointer = name)
        {
            vips.ObjectSetProperty(Pointer, namePointer, value);
        }

        vips.ValueUnset(value);
    }
}
