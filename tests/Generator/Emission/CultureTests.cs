using System.Globalization;
using Microsoft.CodeAnalysis;

namespace Espalier.Tests;

/// <summary>The output and the messages are the same to the byte on every culture.</summary>
public sealed class CultureTests
{
    private const string Source = """
        using Espalier;

        [VisionLanguageModel("wide")]
        [FastV(K = 2, R = 0.123456789)]
        [FreezeVisual(11, 12)]
        [ExitVisual(AfterLayer = 20)]
        public sealed partial class Invariant;
        """;

    private const string Wrong = """
        using Espalier;

        [VisionLanguageModel("wide")]
        [FastV(K = -1234, R = -0.5)]
        [PruneVisual(AfterLayer = -1234, Keep = -12345)]
        [PruneVisual(AfterLayer = 3, Keep = -12345)]
        [FreezeVisual(-1, -12)]
        public sealed partial class Invariant;
        """;

    /// <summary>What the machine may not know (no ICU, invariant globalization) is set by hand: separators, signs and digits as these cultures have them.</summary>
    public static TheoryData<string, string, string, string, string> Cultures => new()
    {
        { "de-DE", ",", ".", "-", "%" },
        { "tr-TR", ",", ".", "-", "%" },
        { "fa-IR", "\u066b", "\u066c", "\u200e\u2212", "\u066a" },
        { "sv-SE", ",", "\u00a0", "\u2212", "%" },
    };

    [Theory]
    [MemberData(nameof(Cultures))]
    public async Task EveryCultureWritesTheSame(string name, string point, string thousands, string minus, string percent)
    {
        string expected = Generate();
        string[] messages = await Messages();
        Assert.Contains("'FastV(K = -1234, R = -0.5)' has R = -0.5, which is not between 0 and 1", messages);
        CultureInfo culture = Culture(point, thousands, minus, percent);
        (CultureInfo before, CultureInfo beforeUi) = (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture);
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = culture;
            Assert.NotEqual("-1,234.5", (-1234.5).ToString("N1", CultureInfo.CurrentCulture));
            Assert.True(expected == Generate(), name);
            Assert.Equal(messages, await Messages());
        }
        finally
        {
            (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture) = (before, beforeUi);
        }
    }

    [Fact]
    public void LinesEndWithALineFeedOnEveryPlatform()
    {
        string text = Generate();
        Assert.DoesNotContain('\r', text);
        Assert.DoesNotContain(" \n", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\t', text);
    }

    private static CultureInfo Culture(string point, string thousands, string minus, string percent)
    {
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        culture.NumberFormat.NumberDecimalSeparator = point;
        culture.NumberFormat.NumberGroupSeparator = thousands;
        culture.NumberFormat.PercentDecimalSeparator = point;
        culture.NumberFormat.PercentSymbol = percent;
        culture.NumberFormat.NegativeSign = minus;
        return culture;
    }

    private static string Generate() => Compiling.Generate(Compiling.Compilation(Source), out _).GeneratedSources.Single().SourceText.ToString();

    private static async Task<string[]> Messages() => [.. (await Analyzing.Diagnose(Wrong)).Select(diagnostic => diagnostic.GetMessage(CultureInfo.CurrentCulture))];
}
