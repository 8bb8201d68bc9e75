using System.Reflection;
using System.Runtime.Loader;
using Espalier.Planning;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Emit;

namespace Espalier.Tests;

/// <summary>Loads what was compiled and lets it run on the recorder.</summary>
internal static class Loading
{
    public static Assembly Load(Compilation compilation)
    {
        using var image = new MemoryStream();
        EmitResult result = compilation.Emit(image);
        Assert.True(result.Success, string.Join('\n', result.Diagnostics));
        image.Position = 0;
        return new AssemblyLoadContext("declared", isCollectible: true).LoadFromStream(image);
    }

    public static ReductionPlan PlanOf(Type model) => (ReductionPlan)model.GetProperty("Plan", BindingFlags.Public | BindingFlags.Static)!.GetValue(null)!;

    /// <summary>Requires of the one class that was declared that its loops do what its plan says.</summary>
    public static ReductionPlan AssertRunsAsPlanned(Compilation compilation)
    {
        Type declared = Assert.Single(Load(compilation).GetTypes(), type => type.BaseType?.FullName == "Espalier.VisionLanguageModel");
        ReductionPlan plan = PlanOf(declared);
        Assert.Equal(ExpectedCalls.Of(plan), Record(declared));
        return plan;
    }

    /// <summary>The calls of one prefill and one decode step.</summary>
    public static IReadOnlyList<string> Record(Type model)
    {
        object checkpoint = Activator.CreateInstance(model.Assembly.GetType("Espalier.Checkpoint", throwOnError: true)!)!;
        object loaded = model.GetMethod("Load")!.Invoke(null, [checkpoint, null])!;
        return (IReadOnlyList<string>)model.GetMethod("Record")!.Invoke(loaded, null)!;
    }
}
