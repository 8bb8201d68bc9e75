using System;

namespace Espalier.Planning;

/// <summary>What the table and the emitted loop say of the tokens that a step does not keep. A new way is a member of <see cref="Compress"/> and a row here.</summary>
/// <remarks>In the texts {0} is the number of tokens that are not kept, {1} that of the tokens which are made of them. Immutable.</remarks>
internal sealed class CompressTraits
{
    /// <summary>One row a member of <see cref="Compress"/>, in their order.</summary>
    private static readonly CompressTraits[] Rows =
    {
        new("prune", "", "{0} leave"),
        new("merge", " and similar keys", "{0} are averaged into those with similar keys"),
        new("merge", " and similar rows", "each of the other {0} is averaged into the one of them that is most similar"),
        new("merge", "", "the other {0} are merged into them"),
        new("exit", "", "{0} leave"),
        new("merge", " and near keys", "{0} are added to those with near keys"),
        new("recycle", "", "the best of the other {0} are recycled into {1} more"),
    };

    private readonly string _rest;

    private CompressTraits(string verb, string suffix, string rest)
    {
        Verb = verb;
        Suffix = suffix;
        _rest = rest;
    }

    /// <summary>"prune" or "merge".</summary>
    public string Verb { get; }

    /// <summary>What stands behind the score in the table.</summary>
    public string Suffix { get; }

    /// <summary>The traits of a way to compress.</summary>
    public static CompressTraits Of(Compress compress) =>
        (uint)compress < (uint)Rows.Length ? Rows[(int)compress] : throw new ArgumentOutOfRangeException(nameof(compress), compress, "The way to compress has no traits.");

    /// <summary>What becomes of the tokens that are not kept, as the emitted loop says it.</summary>
    public string Rest(Step step) => step.IsDynamic
        ? _rest.Replace("the other {0}", "the others").Replace("{0}", "the others").Replace(" into {1} more", "")
        : _rest.Replace("{0}", PlanText.Count(step.TokensBefore - step.TokensKept)).Replace("{1}", PlanText.Count(step.TokensAfter - step.TokensKept));
}
