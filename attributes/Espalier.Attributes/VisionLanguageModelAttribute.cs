using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>Makes a partial class a runnable vision-language model: the generator derives it from <c>Espalier.VisionLanguageModel</c> and writes its plan and its forward loop.</summary>
/// <remarks>
/// <para>The shapes come from the <c>config.json</c> of the model, at compile time. The project names the model's folder:
/// <c>&lt;EspalierModel Include="models/shapes" /&gt;</c>; the name of the folder, or the item's <c>Name</c> metadata, is the name to write here.</para>
/// <para>The other attributes of the class, the policies, say what happens to its visual tokens; their order has no meaning. Without a policy the class is the dense model.</para>
/// <para>Nothing of this attribute survives into the compiled assembly.</para>
/// </remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class VisionLanguageModelAttribute : Attribute
{
    /// <summary>Declares that the class is a variant of a model.</summary>
    /// <param name="model">The name of an <c>EspalierModel</c> item of the project. Names are compared exactly, case included.</param>
    public VisionLanguageModelAttribute(string model)
    {
        Model = model;
    }

    /// <summary>The name of the model.</summary>
    public string Model { get; }

    /// <summary>The number format of the linear layers; <see cref="Precision.Float32"/> unless said otherwise. Loading may name another, and finds out whether the device can run it.</summary>
    public Precision Precision { get; set; } = Precision.Float32;
}
