namespace Espalier.Tests;

/// <summary>The checkout that the tests run in.</summary>
internal static class RepositoryFolder
{
    /// <summary>The top folder, which holds the solution.</summary>
    public static string Root { get; } = Find();

    /// <summary>A path inside of the checkout.</summary>
    public static string Combine(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string Find()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Generated.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new DirectoryNotFoundException("The tests run from a checkout of the repository.");
    }
}
