using System.Collections;
using System.Reflection;
using Espalier.Parsing;
using Microsoft.CodeAnalysis;
using StepNames = Espalier.VisionLanguageModelGenerator.StepNames;

namespace Espalier.Tests;

/// <summary>What is cached between runs holds no compiler object, which would keep whole compilations alive and never be equal.</summary>
public sealed class ModelGraphTests
{
    private const string Source = """
        using Espalier;

        namespace Samples
        {
            public static partial class Outer
            {
                [VisionLanguageModel("shapes")]
                [FastV(K = 2, R = 0.5)]
                [ShortV(5, 6, 7)]
                [PruneVisual(AfterLayer = 7, KeepRatio = 0.5, Score = TokenScore.LastQueryAttention)]
                [Vtw(K = 9)]
                public sealed partial class QuickShapes;
            }
        }
        """;

    [Theory]
    [InlineData(StepNames.Models)]
    [InlineData(StepNames.AllModels)]
    [InlineData(StepNames.Declarations)]
    [InlineData(StepNames.Plans)]
    public void HoldsNoCompilerObject(string step)
    {
        object[] values = Values(step);
        Assert.NotEmpty(values);
        Assert.Empty(values.SelectMany(CompilerObjects));
    }

    [Theory]
    [InlineData(StepNames.Models)]
    [InlineData(StepNames.AllModels)]
    [InlineData(StepNames.Declarations)]
    [InlineData(StepNames.Plans)]
    public void IsEqualWhenReadAgain(string step)
    {
        object[] one = Values(step);
        object[] two = Values(step);
        Assert.Equal(one, two);
        Assert.Equal(one.Select(value => value.GetHashCode()), two.Select(value => value.GetHashCode()));
        Assert.All(one.Zip(two), pair => Assert.False(pair.First.GetType().IsClass && ReferenceEquals(pair.First, pair.Second)));
    }

    [Fact]
    public void TheWalkFindsWhatIsHidden()
    {
        Compilation compilation = Compiling.Compilation(Source);
        INamedTypeSymbol symbol = compilation.GetTypeByMetadataName("Samples.Outer+QuickShapes")!;
        SyntaxNode syntax = symbol.DeclaringSyntaxReferences[0].GetSyntax();
        Assert.NotEmpty(CompilerObjects(new Hiding(symbol)));
        Assert.NotEmpty(CompilerObjects(new Hiding(compilation)));
        Assert.NotEmpty(CompilerObjects(new Hiding(syntax)));
        Assert.NotEmpty(CompilerObjects(new Hiding(syntax.GetLocation())));
        Assert.NotEmpty(CompilerObjects(new Hiding(new object[] { "a", new List<object> { new Hiding(symbol) } })));
        Assert.NotEmpty(CompilerObjects(new ShapeProblem(ShapeProblemKind.Generic, syntax.GetLocation())));
        Assert.Empty(CompilerObjects(new Hiding("nothing")));
    }

    private static object[] Values(string step) =>
        [.. Compiling.Generate(Compiling.Compilation(Source), out _).TrackedSteps[step].SelectMany(run => run.Outputs).Select(output => output.Value)];

    private static List<object> CompilerObjects(object root)
    {
        var found = new List<object>();
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var pending = new Stack<object>([root]);
        while (pending.TryPop(out object? node))
        {
            if (node is ISymbol or Compilation or SyntaxNode or Location or SyntaxTree or SemanticModel)
            {
                found.Add(node);
                continue;
            }

            if (node is string or Enum || node.GetType().IsPrimitive || !seen.Add(node))
            {
                continue;
            }

            if (node is IEnumerable items)
            {
                foreach (object? item in items)
                {
                    if (item is not null)
                    {
                        pending.Push(item);
                    }
                }
            }

            for (Type? type = node.GetType(); type is not null && type != typeof(object); type = type.BaseType)
            {
                foreach (FieldInfo field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                {
                    if (field.GetValue(node) is { } value && !field.FieldType.IsPointer)
                    {
                        pending.Push(value);
                    }
                }
            }
        }

        return found;
    }

    private sealed record Hiding(object Value);
}
