using System;
using System.Globalization;
using System.Text;
using Microsoft.CodeAnalysis;

namespace Espalier.Parsing;

/// <summary>The names of emitted files. The compiler takes two that differ only in case for one, and then drops everything that the generator wrote.</summary>
internal static class HintName
{
    /// <summary>The full metadata name with a plus before each nested name; with a hash of it where the name alone might not be the only one.</summary>
    public static string Of(INamedTypeSymbol symbol)
    {
        bool isAmbiguous = false;
        var name = new StringBuilder();
        for (INamespaceOrTypeSymbol part = symbol; part is not INamespaceSymbol { IsGlobalNamespace: true }; part = Container(part))
        {
            name.Insert(0, part.MetadataName);
            if (Container(part) is not INamespaceSymbol { IsGlobalNamespace: true })
            {
                name.Insert(0, part.ContainingType is null ? '.' : '+');
            }

            isAmbiguous |= HasSiblingOfOtherCase(part);
        }

        string exact = name.ToString();
        for (int i = 0; i < name.Length; i++)
        {
            // An identifier may hold letters that a file's name must not.
            if (!char.IsLetterOrDigit(name[i]) && name[i] is not ('.' or '+' or '_'))
            {
                name[i] = '_';
                isAmbiguous = true;
            }
        }

        if (isAmbiguous)
        {
            name.Append('-').Append(Hash(exact).ToString("x8", CultureInfo.InvariantCulture));
        }

        return name.Append(".g.cs").ToString();
    }

    private static INamespaceOrTypeSymbol Container(INamespaceOrTypeSymbol part) => part.ContainingType ?? (INamespaceOrTypeSymbol)part.ContainingNamespace;

    private static bool HasSiblingOfOtherCase(INamespaceOrTypeSymbol part)
    {
        foreach (ISymbol sibling in Container(part).GetMembers())
        {
            if (sibling is INamespaceOrTypeSymbol
                && string.Equals(sibling.MetadataName, part.MetadataName, StringComparison.OrdinalIgnoreCase)
                && !string.Equals(sibling.MetadataName, part.MetadataName, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>FNV-1a, the same in every process.</summary>
    private static uint Hash(string text)
    {
        uint hash = 2166136261;
        foreach (char c in text)
        {
            hash = unchecked((hash ^ c) * 16777619);
        }

        return hash;
    }
}
