using System.Globalization;
using Espalier.Calibration;
using Espalier.CommandLine;
using Espalier.Evaluation;

namespace Espalier.Tool.Commands;

/// <summary>Compiles the policies of a command line, and shows what the compiler says about them.</summary>
internal static class Policies
{
    /// <summary>The name of the model without a policy.</summary>
    public const string Dense = "dense";

    /// <summary>Compiles policies; the compiler's messages go to the errors.</summary>
    public static PolicyCompilation Compile(Terminal terminal, string folder, IReadOnlyList<string> policies, CancellationToken cancellationToken)
    {
        PolicyCompilation compilation = terminal.Status("compiling", _ => PolicyCompiler.Compile(folder, policies, cancellationToken));
        foreach (CompiledPolicy policy in compilation.Policies)
        {
            foreach (PolicyDiagnostic diagnostic in policy.Diagnostics)
            {
                Show(terminal, policy.Text, diagnostic);
            }
        }

        if (compilation.Policies.Any(static policy => policy.Diagnostics.Any(static diagnostic => diagnostic.Id == "CS0246")))
        {
            IEnumerable<string> known = typeof(VisualPolicyAttribute).Assembly.GetExportedTypes()
                .Where(static type => type.IsSubclassOf(typeof(VisualPolicyAttribute)) && !type.IsGenericType)
                .Select(static type => type.Name[..^"Attribute".Length]);
            terminal.Errors.WriteLine($"policies are {string.Join(", ", known.Order(StringComparer.Ordinal))}");
        }

        return compilation;
    }

    /// <summary>The compiled policies as candidates.</summary>
    /// <exception cref="InputException">One of them is rejected.</exception>
    public static IReadOnlyList<Candidate> Candidates(PolicyCompilation compilation) => compilation.Policies.FirstOrDefault(static policy => !policy.IsValid) is { } rejected
        ? throw new InputException($"the policy {NameOf(rejected)} was rejected; see above.")
        : [.. compilation.Policies.Select(static policy => new Candidate(NameOf(policy), policy.Plan!, policy.Load))];

    /// <summary>What reports call a policy: its attributes on one line.</summary>
    public static string NameOf(CompiledPolicy policy) => string.IsNullOrWhiteSpace(policy.Text) ? Dense : policy.Text.ReplaceLineEndings(" ").Trim();

    /// <summary>The line with a mark under the argument at fault, and the message.</summary>
    private static void Show(Terminal terminal, string text, PolicyDiagnostic diagnostic)
    {
        if (diagnostic.Line is { } line && diagnostic.Column is { } column)
        {
            string[] lines = text.ReplaceLineEndings("\n").Split('\n');
            string shown = line <= lines.Length ? lines[line - 1] : "";
            terminal.Errors.WriteLine("  " + shown.Replace('\t', ' '));
            terminal.Errors.WriteLine("  " + new string(' ', column - 1) + new string('^', Math.Max(1, diagnostic.Length)));
        }

        terminal.Fail(string.Create(CultureInfo.InvariantCulture, $"policy{diagnostic}"));
    }
}
