using System.Collections.Generic;
using Espalier.Planning;

namespace Espalier.Parsing;

/// <summary>A declared class, as far as emission needs it. Holds no symbol, syntax or location, or the cache would never hit and old compilations would stay alive.</summary>
/// <param name="Namespace">The namespace as C# writes it; empty for the global one.</param>
/// <param name="ContainingTypes">Headers of the enclosing types, outermost first, for example <c>partial struct Outer</c>.</param>
/// <param name="Identifier">The class's name as C# writes it, <c>@class</c> for a keyword.</param>
/// <param name="Name">The class's bare name.</param>
/// <param name="HintName">The name of the emitted file.</param>
/// <param name="Model">The name of the model.</param>
/// <param name="Precision">The member of <c>Espalier.Precision</c> that is declared.</param>
/// <param name="Policies">The policies, in the order of the attributes.</param>
/// <param name="AllowsUnsafe">True if the compilation allows unsafe code, which <c>SkipLocalsInit</c> needs.</param>
internal sealed record ModelDeclaration(
    string Namespace,
    EquatableArray<string> ContainingTypes,
    string Identifier,
    string Name,
    string HintName,
    string Model,
    string Precision,
    EquatableArray<PolicyDeclaration> Policies,
    bool AllowsUnsafe);

/// <summary>A declared class with its plan: all that emission gets.</summary>
/// <param name="Declaration">The class.</param>
/// <param name="Plan">Its plan.</param>
internal sealed record PlannedModel(ModelDeclaration Declaration, ReductionPlan Plan)
{
    /// <summary>Plans a declaration; null if its model is missing, ambiguous or unreadable, or if its policies contradict it.</summary>
    public static PlannedModel? From(ModelDeclaration declaration, EspalierModels models)
    {
        IReadOnlyList<EspalierModel> named = models.Named(declaration.Model);
        return named.Count == 1
            && named[0].Geometry is { } geometry
            && Planner.Plan(geometry, declaration.Policies).Plan is { } plan
                ? new PlannedModel(declaration, plan)
                : null;
    }
}
