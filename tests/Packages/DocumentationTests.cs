using System.Reflection;
using System.Xml.Linq;

namespace Espalier.Tests;

/// <summary>What users read of the public API beside its names: who may call at the same time, and what each parameter is.</summary>
public sealed class DocumentationTests
{
    public static TheoryData<string> Assemblies => ["Espalier.Attributes", "Espalier.Runtime", "Espalier.Imaging", "Espalier.Extensions.AI"];

    /// <summary>Attributes, exceptions and static classes hold nothing that two threads could meet at.</summary>
    [Theory]
    [MemberData(nameof(Assemblies))]
    public void EveryTypeSaysWhetherThreadsMayShareIt(string assembly)
    {
        ILookup<string, XElement> documentation = Documentation(assembly);
        Assert.All(
            Types(assembly).Where(static type => !type.IsEnum && !type.IsInterface && !(type.IsAbstract && type.IsSealed) && !type.IsAssignableTo(typeof(Exception)) && !type.IsAssignableTo(typeof(Attribute))),
            type => Assert.Contains("thread", Assert.Single(documentation["T:" + Name(type)]).Value, StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void EveryParameterIsExplained(string assembly)
    {
        ILookup<string, XElement> documentation = Documentation(assembly);
        foreach (MethodBase method in Types(assembly).SelectMany(static type => type.GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)).OfType<MethodBase>())
        {
            string id = "M:" + Name(method.DeclaringType!) + "." + method.Name.Replace('.', '#');
            string[] parameters = [.. method.GetParameters().Select(static parameter => parameter.Name!)];
            XElement[] found = [.. documentation[id]];

            // What the compiler writes for records has no documentation of its own.
            Assert.True(
                found.Length == 0 || found.Any(member => member.Element("inheritdoc") is not null || member.Elements("param").Select(static element => element.Attribute("name")!.Value).SequenceEqual(parameters)),
                $"{id}({string.Join(", ", parameters)}) does not explain each parameter.");
        }
    }

    private static IEnumerable<Type> Types(string assembly) => Assembly.Load(assembly).GetExportedTypes();

    private static string Name(Type type) => type.FullName!.Replace('+', '.');

    /// <summary>The members by their name, without parameters and arity.</summary>
    private static ILookup<string, XElement> Documentation(string assembly) => XDocument.Load(Path.Combine(AppContext.BaseDirectory, assembly + ".xml")).Descendants("member")
        .ToLookup(static member => member.Attribute("name")!.Value is var name && name.StartsWith("M:", StringComparison.Ordinal) ? name.Split('(')[0].Split("``")[0] : member.Attribute("name")!.Value);
}
