using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Espalier.Text;

namespace Espalier.Tests.Text;

/// <summary>Normalisation without ICU against node's: every scalar, and marks in random order.</summary>
public class UnicodeNormalizerTests
{
    private static readonly NormalizationForm[] Forms = [NormalizationForm.FormC, NormalizationForm.FormD, NormalizationForm.FormKC, NormalizationForm.FormKD];

    [Fact]
    public void NormalizesEveryScalar()
    {
        JsonElement blocks = TokenizerFiles.Golden("normalization").GetProperty("blocks");
        Assert.Equal(0x110, blocks.GetArrayLength());
        for (int block = 0; block < 0x110; block++)
        {
            string[] scalars = [.. Enumerable.Range(block * 0x1000, 0x1000).Where(Rune.IsValid).Select(char.ConvertFromUtf32)];
            for (int form = 0; form < Forms.Length; form++)
            {
                string lines = string.Join('\n', scalars.Select(scalar => Normalize(scalar, Forms[form])));
                string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(lines)))[..16];
                Assert.True(blocks[block][form].GetString() == hash, $"{Forms[form]} differs in U+{block:X2}000 to U+{block:X2}FFF");
            }
        }
    }

    [Fact]
    public void OrdersAndComposesMarks()
    {
        foreach (JsonElement sequence in TokenizerFiles.Golden("normalization").GetProperty("sequences").EnumerateArray())
        {
            for (int form = 0; form < Forms.Length; form++)
            {
                Assert.Equal(sequence[form + 1].GetString(), Normalize(sequence[0].GetString()!, Forms[form]));
            }
        }
    }

    [Fact]
    public void SortsALongRunOfMarksInGoodTime()
    {
        string run = "a" + string.Concat(Enumerable.Repeat("\u0301\u0323", 200_000));
        string normal = Normalize(run, NormalizationForm.FormD);
        Assert.Equal("a" + new string('\u0323', 200_000) + new string('\u0301', 200_000), normal);
    }

    private static string Normalize(string text, NormalizationForm form) => UnicodeNormalizer.Normalize(text, form);
}
