using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;

namespace Espalier.CodeFixes;

/// <summary>What all fixes share: each offers at most one change, of the document alone, and several at a time can be applied.</summary>
public abstract class EspalierCodeFix : CodeFixProvider
{
    private protected EspalierCodeFix()
    {
    }

    /// <inheritdoc/>
    public sealed override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public sealed override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        Diagnostic diagnostic = context.Diagnostics.First();
        if (await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false) is { } root
            && await context.Document.GetSemanticModelAsync(context.CancellationToken).ConfigureAwait(false) is { } semantics
            && Find(root, semantics, diagnostic, context.CancellationToken) is { } fix)
        {
            context.RegisterCodeFix(
                CodeAction.Create(fix.Title, _ => Task.FromResult(context.Document.WithSyntaxRoot(fix.Root)), equivalenceKey: GetType().Name),
                diagnostic);
        }
    }

    /// <summary>The changed root and what the change does; null if it is the user's to decide.</summary>
    private protected abstract Fix? Find(SyntaxNode root, SemanticModel semantics, Diagnostic diagnostic, CancellationToken cancellation);

    /// <summary>A change on offer.</summary>
    private protected sealed record Fix(string Title, SyntaxNode Root);
}
