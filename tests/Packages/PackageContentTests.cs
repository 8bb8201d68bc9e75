using System.IO.Compression;
using System.Xml.Linq;

namespace Espalier.Tests;

[Collection(PackedFeed.Collection)]
public sealed class PackageContentTests(PackedFeed feed)
{
    private static readonly string[] Ids = ["Espalier", "Espalier.Extensions.AI", "Espalier.Imaging", "Espalier.Templates", "Espalier.Tool"];

    [Fact]
    public void EveryPackageHasReadmeIconLicenceAndOnlyOurDependencies()
    {
        Assert.Equal(Ids.Select(id => $"{id}.{feed.Version}.nupkg"), Directory.EnumerateFiles(feed.Feed, "*.nupkg").Select(Path.GetFileName).Order(StringComparer.Ordinal));
        foreach (string id in Ids)
        {
            using ZipArchive package = Open(id);
            XElement metadata = Nuspec(package, id);
            XNamespace space = metadata.Name.Namespace;
            Assert.Equal("MIT", metadata.Element(space + "license")!.Value);
            Assert.NotNull(package.GetEntry(metadata.Element(space + "icon")!.Value));
            using var readme = new StreamReader(package.GetEntry(metadata.Element(space + "readme")!.Value)!.Open());
            Assert.StartsWith("# " + id + "\n", readme.ReadToEnd(), StringComparison.Ordinal);
            Assert.All(
                metadata.Descendants(space + "dependency").Where(static dependency => dependency.Attribute("id")!.Value.StartsWith("Espalier", StringComparison.Ordinal)),
                dependency => Assert.Contains((dependency.Attribute("id")!.Value, dependency.Attribute("version")!.Value), Ids.Select(known => (known, feed.Version))));
        }
    }

    [Fact]
    public void TheMainPackageIsWhole()
    {
        using ZipArchive package = Open("Espalier");
        string[] files = [.. package.Entries.Select(static entry => entry.FullName)];
        foreach (string file in (string[])
        [
            "lib/net9.0/Espalier.Runtime.dll", "lib/net9.0/Espalier.Runtime.xml", "lib/net9.0/Espalier.Attributes.dll", "lib/net9.0/Espalier.Attributes.xml",
            "lib/net10.0/Espalier.Runtime.dll", "lib/net10.0/Espalier.Attributes.dll",
            "analyzers/dotnet/cs/Espalier.Generator.dll", "analyzers/dotnet/cs/Espalier.CodeFixes.dll",
            "buildTransitive/Espalier.targets", "buildTransitive/Espalier.Generator.targets", "buildTransitive/Espalier.Runtime.NativeLibraries.props",
            "buildTransitive/Espalier.NativeLibraries.targets", "buildTransitive/Espalier.NativeLibraries.Fetch.proj",
        ])
        {
            Assert.Contains(file, files);
        }

        Assert.DoesNotContain(files, static file => file.EndsWith(".pdb", StringComparison.Ordinal) || file.Contains("CodeAnalysis", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Espalier", "lib/net10.0/Espalier.Runtime.pdb")]
    [InlineData("Espalier", "lib/net9.0/Espalier.Attributes.pdb")]
    [InlineData("Espalier.Imaging", "lib/net10.0/Espalier.Imaging.pdb")]
    [InlineData("Espalier.Extensions.AI", "lib/net9.0/Espalier.Extensions.AI.pdb")]
    [InlineData("Espalier.Tool", "tools/net10.0/any/espalier.pdb")]
    public void SymbolsStandBesideThePackage(string id, string file)
    {
        using ZipArchive symbols = ZipFile.OpenRead(Path.Combine(feed.Feed, $"{id}.{feed.Version}.snupkg"));
        Assert.NotNull(symbols.GetEntry(file));
    }

    [Fact]
    public void TheToolHoldsNoNativeLibrary()
    {
        using ZipArchive package = Open("Espalier.Tool");
        Assert.DoesNotContain(package.Entries, static entry => entry.Name.Contains("onnxruntime", StringComparison.Ordinal) || entry.Name.StartsWith("libvips", StringComparison.Ordinal));
    }

    [Fact]
    public async Task PackingTwiceGivesTheSameFiles()
    {
        // Names, order and contents; the archive's entries also carry times, which NuGet stamps on what it writes itself.
        string again = feed.NewFolder("again");
        await feed.Pack(again);
        foreach (string first in Directory.EnumerateFiles(feed.Feed))
        {
            using ZipArchive one = ZipFile.OpenRead(first);
            using ZipArchive other = ZipFile.OpenRead(Path.Combine(again, Path.GetFileName(first)));
            Assert.Equal(one.Entries.Select(static entry => (entry.FullName, entry.Crc32, entry.Length)), other.Entries.Select(static entry => (entry.FullName, entry.Crc32, entry.Length)));
        }
    }

    private ZipArchive Open(string id) => ZipFile.OpenRead(Path.Combine(feed.Feed, $"{id}.{feed.Version}.nupkg"));

    private static XElement Nuspec(ZipArchive package, string id)
    {
        using Stream nuspec = package.GetEntry(id + ".nuspec")!.Open();
        XElement root = XDocument.Load(nuspec).Root!;
        return root.Element(root.Name.Namespace + "metadata")!;
    }
}
