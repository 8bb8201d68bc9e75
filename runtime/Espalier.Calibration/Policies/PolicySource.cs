using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace Espalier.Calibration;

/// <summary>The file that one policy is compiled as: a declared class with the policy's text as its attributes.</summary>
internal sealed class PolicySource
{
    private readonly TextSpan _span;
    private readonly int _firstLine;

    /// <summary>Wraps a policy.</summary>
    /// <param name="model">The name of the model.</param>
    /// <param name="number">Its number among the policies, from 1.</param>
    /// <param name="text">The attributes.</param>
    /// <param name="options">The language.</param>
    public PolicySource(string model, int number, string text, CSharpParseOptions options)
    {
        Text = text;
        ClassName = "Policy" + number.ToString(CultureInfo.InvariantCulture);

        // The text starts a line, so that its columns are the user's.
        string head = $"using Espalier;\n\n[VisionLanguageModel({SymbolDisplay.FormatLiteral(model, quote: true)})]\n";
        Tree = CSharpSyntaxTree.ParseText($"{head}{text}\npublic sealed partial class {ClassName};\n", options, ClassName + ".cs");
        _span = new TextSpan(head.Length, text.Length);
        _firstLine = 3;
    }

    /// <summary>The policy as it was written.</summary>
    public string Text { get; }

    /// <summary>The class that it is declared on.</summary>
    public string ClassName { get; }

    /// <summary>The file.</summary>
    public SyntaxTree Tree { get; }

    /// <summary>What is wrong with text that the compiler accepts and that is more than attributes; null if there is nothing.</summary>
    public PolicyDiagnostic? Excess()
    {
        const string Message = "A policy consists of attributes in their brackets and of nothing else, for example [FastV(K = 2, R = 0.5)]";
        SyntaxToken token = SyntaxFactory.ParseToken(Text);
        if (!token.IsKind(SyntaxKind.OpenBracketToken) && !token.IsKind(SyntaxKind.EndOfFileToken))
        {
            return At(Message, _span);
        }

        CompilationUnitSyntax root = Tree.GetCompilationUnitRoot();
        if (root.GetDiagnostics().Any(static diagnostic => diagnostic.Severity == DiagnosticSeverity.Error))
        {
            return null;
        }

        MemberDeclarationSyntax? first = root.Members.FirstOrDefault();
        SyntaxNodeOrToken excess = first is ClassDeclarationSyntax declared && declared.Keyword.SpanStart > _span.End ? default : first;
        SyntaxTrivia directive = root.DescendantTrivia().FirstOrDefault(static trivia => trivia.IsDirective);
        if (root.Members.Count == 1 && excess == default && directive == default && root.Externs.Count == 0 && root.Usings.Count == 1)
        {
            return null;
        }

        // Where the attributes end: what follows them is not part of a policy.
        int start = directive != default ? directive.SpanStart : first is { AttributeLists: { Count: > 0 } lists } ? lists.Last().FullSpan.End : _span.Start;
        return At(Message, TextSpan.FromBounds(Math.Clamp(start, _span.Start, _span.End), _span.End));
    }

    /// <summary>The attributes that are no policies: C# takes them on any class, and they would change nothing.</summary>
    /// <param name="compilation">A compilation that has the file.</param>
    public IEnumerable<PolicyDiagnostic> Others(Compilation compilation)
    {
        SemanticModel meaning = compilation.GetSemanticModel(Tree);
        foreach (AttributeSyntax attribute in Tree.GetCompilationUnitRoot().DescendantNodes().OfType<AttributeSyntax>().Where(attribute => _span.Contains(attribute.Span)))
        {
            ITypeSymbol? type = meaning.GetTypeInfo(attribute).Type;
            if (type is not (null or IErrorTypeSymbol) && type.BaseType?.Name != nameof(VisualPolicyAttribute))
            {
                yield return At($"[{attribute.Name}] is no policy, so it would change nothing. A policy is an attribute of Espalier's, for example [FastV(K = 2, R = 0.5)]", attribute.Name.Span);
            }
        }
    }

    /// <summary>A diagnostic of this file, placed inside the policy's text.</summary>
    public PolicyDiagnostic Place(Diagnostic diagnostic)
    {
        var (line, column, length) = Locate(diagnostic.Location.SourceSpan);
        return new PolicyDiagnostic(
            diagnostic.Id,
            diagnostic.Severity == DiagnosticSeverity.Error,
            diagnostic.GetMessage(CultureInfo.InvariantCulture),
            line,
            column,
            length,
            diagnostic.Descriptor.HelpLinkUri);
    }

    private PolicyDiagnostic At(string message, TextSpan span)
    {
        var (line, column, length) = Locate(span);
        return new PolicyDiagnostic("", IsError: true, message, line, column, length, "");
    }

    private (int? Line, int? Column, int Length) Locate(TextSpan span)
    {
        // What the parser misses at the end of the text, it reports at the next token, which is ours.
        if (span.Start < _span.Start || span.Start > _span.End)
        {
            return (null, null, 0);
        }

        FileLinePositionSpan lines = Tree.GetLineSpan(span);
        int end = lines.EndLinePosition.Line == lines.StartLinePosition.Line ? lines.EndLinePosition.Character : lines.StartLinePosition.Character + 1;
        return (lines.StartLinePosition.Line - _firstLine + 1, lines.StartLinePosition.Character + 1, end - lines.StartLinePosition.Character);
    }
}
