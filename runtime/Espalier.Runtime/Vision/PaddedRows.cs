namespace Espalier.Vision;

/// <summary>The rows of an image centred on a larger canvas of one colour. The canvas is never stored: for a long thin picture it would be far larger than the picture.</summary>
internal readonly ref struct PaddedRows
{
    private readonly ReadOnlySpan<byte> _pixels;
    private readonly ReadOnlySpan<byte> _color;
    private readonly int _rowBytes;
    private readonly int _canvasBytes;
    private readonly int _height;
    private readonly int _left;
    private readonly int _top;

    /// <summary>Centres <paramref name="image"/>; odd differences leave the larger border at the right and bottom.</summary>
    public PaddedRows(in RgbImage image, int canvasWidth, int canvasHeight, ReadOnlySpan<byte> color)
    {
        _pixels = image.Pixels.Span;
        _color = color;
        _rowBytes = image.Width * RgbImage.Channels;
        _canvasBytes = canvasWidth * RgbImage.Channels;
        _height = image.Height;
        _left = (canvasWidth - image.Width) / 2 * RgbImage.Channels;
        _top = (canvasHeight - image.Height) / 2;
    }

    /// <summary>Copies row <paramref name="row"/> of the canvas.</summary>
    public void Read(int row, Span<byte> destination)
    {
        Span<byte> canvas = destination[.._canvasBytes];
        int imageRow = row - _top;
        bool inside = (uint)imageRow < (uint)_height;
        if (!inside || _rowBytes < _canvasBytes)
        {
            for (int index = 0; index < canvas.Length; index++)
            {
                canvas[index] = _color[index % RgbImage.Channels];
            }
        }

        if (inside)
        {
            _pixels.Slice(imageRow * _rowBytes, _rowBytes).CopyTo(canvas[_left..]);
        }
    }
}
