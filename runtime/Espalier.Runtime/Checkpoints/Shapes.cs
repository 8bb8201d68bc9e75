using System.Globalization;
using System.Text;

namespace Espalier;

/// <summary>Arithmetic and text of tensor shapes.</summary>
internal static class Shapes
{
    /// <summary>Product of the dimensions, 1 for a scalar; false if one is negative or the product, or that of the dimensions that are not 0, exceeds 64 bits.</summary>
    public static bool TryCountElements(ReadOnlySpan<long> shape, out long elements)
    {
        bool empty = false;
        elements = 1;
        foreach (long dimension in shape)
        {
            if (dimension < 0)
            {
                return false;
            }

            if (dimension == 0)
            {
                empty = true;
            }
            else if (elements > long.MaxValue / dimension)
            {
                return false;
            }
            else
            {
                elements *= dimension;
            }
        }

        elements = empty ? 0 : elements;
        return true;
    }

    /// <summary>For example <c>[32, 3, 14, 14]</c>.</summary>
    public static string Format(ReadOnlySpan<long> shape)
    {
        var text = new StringBuilder("[");
        foreach (long dimension in shape)
        {
            if (text.Length > 1)
            {
                text.Append(", ");
            }

            text.Append(dimension.ToString(CultureInfo.InvariantCulture));
        }

        return text.Append(']').ToString();
    }
}
