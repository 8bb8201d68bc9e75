namespace Espalier.Planning;

/// <summary>SepLLM (arXiv 2412.12094): of the text, the first tokens, the separators and the nearest tokens stay in the KV caches.</summary>
internal sealed class SepLlmMethod : PolicyMethod
{
    public override string Name => "SepLlm";

    internal override void Lower(PolicyLowering policy)
    {
        int initial = policy.Integer("A", 3);
        int neighbours = policy.Integer("N", 256);
        bool fine = policy.CheckNumber("A", initial is >= 0 and <= 1_000_000, initial, "from 0 to 1000000");
        fine &= policy.CheckNumber("N", neighbours is >= 1 and <= 1_000_000, neighbours, "from 1 to 1000000");
        if (fine)
        {
            policy.Evict(initial, neighbours);
        }
    }
}
