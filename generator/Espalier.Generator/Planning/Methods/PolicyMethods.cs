using System;
using System.Linq;

namespace Espalier.Planning;

/// <summary>The policies that can be planned, primitives first.</summary>
public static class PolicyMethods
{
    private static readonly PolicyMethod[] Methods =
    {
        new PruneVisualMethod(),
        new MergeVisualMethod(),
        new RandomPruneMethod(),
        new FreezeVisualMethod(),
        new ExitVisualMethod(),
        new FastVMethod(),
        new ShortVMethod(),
        new VtwMethod(),
        new PyramidDropMethod(),
        new SparseVlmMethod(),
        new SparseVlmPlusMethod(),
        new VictorMethod(),
        new DyVteMethod(),
        new FiCoCoVMethod(),
        new ToMeMethod(),
        new ElipMethod(),
        new PruneAndMergeMethod(),
        new FiCoCoLMethod(),
        new VisionZipMethod(),
        new VtcClsMethod(),
        new DivPruneMethod(),
        new GPruneMethod(),
        new AimMethod(),
        new DartMethod(),
        new SparsityMeetsSimilarityMethod(),
        new PruMergeMethod(plus: false),
        new PruMergeMethod(plus: true),
        new RecoverableCompressionMethod(),
        new FoPruMethod(),
        new CDPrunerMethod(),
        new FfnSkipLlmMethod(),
        new YopoMethod(),
        new YopoHeadsMethod(),
        new RedundancyLensMethod(),
        new SepLlmMethod(),
    };

    /// <summary>The names of the policies, as <see cref="PolicyDeclaration.Name"/> takes them.</summary>
    public static EquatableArray<string> Names { get; } = Methods.Select(method => method.Name).ToEquatableArray();

    /// <summary>The policy of a name, or null.</summary>
    /// <param name="name">The attribute's name without its suffix; compared exactly.</param>
    public static PolicyMethod? Find(string name) => Array.Find(Methods, method => string.Equals(method.Name, name, StringComparison.Ordinal));
}
