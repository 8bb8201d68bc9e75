namespace Espalier.Samples.Shapes;

/// <summary>The sample's own files. The build puts them beside the program, so that it runs from any folder.</summary>
internal static class Folders
{
    public static string Model { get; } = Path.Combine(AppContext.BaseDirectory, "models", "shapes");

    public static string Evaluation { get; } = Path.Combine(AppContext.BaseDirectory, "evaluation");
}
