namespace Espalier;

/// <summary>The order in which AIM (arXiv 2412.03248) leaves the visual tokens behind its merge. It differs only where an odd number of tokens is halved, and one of them finds no partner.</summary>
public enum AimOrder
{
    /// <summary>That of the authors' code: the token that was not merged first, behind it those that took others in.</summary>
    Similarity,

    /// <summary>That of the image, which a line that is commented out in the authors' code would keep.</summary>
    Relative,
}
