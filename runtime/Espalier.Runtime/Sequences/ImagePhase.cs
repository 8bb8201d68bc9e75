namespace Espalier;

/// <summary>Where an image stands.</summary>
internal enum ImagePhase
{
    /// <summary>Nothing has begun.</summary>
    Idle,

    /// <summary>Pixels are in place.</summary>
    Pixels,

    /// <summary>Patches and some tower layers are done; the next ones follow.</summary>
    Tower,

    /// <summary>The first half of a tower layer has run; a merge follows.</summary>
    Attended,

    /// <summary>Rows have left between the halves of a tower layer; the second half follows.</summary>
    MergedInTower,

    /// <summary>The tower has run; a step without scores follows.</summary>
    Encoded,

    /// <summary>The scored tower has run; a step follows.</summary>
    Scored,

    /// <summary>The features are as the projector takes them.</summary>
    Reduced,

    /// <summary>The projector has run; a step follows.</summary>
    ProjectedWhole,

    /// <summary>The visual rows can be written.</summary>
    Ready,

    /// <summary>The visual rows are written.</summary>
    Done,
}
