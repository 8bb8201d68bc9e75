using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Espalier.Planning;
using Spectre.Console;

namespace Espalier.Samples.Shapes.Evaluation;

/// <summary>The result of an evaluation as tables, for a terminal or as Markdown.</summary>
internal sealed class EvaluationReport
{
    private readonly EvaluationRun _run;
    private readonly string[] _types;

    public EvaluationReport(EvaluationRun run)
    {
        _run = run;
        _types = [.. run.Questions.Select(question => question.Type).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>The report as Markdown; lines end with a line feed.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder();
        Append(text, AccuracyHeadings(), 2, _run.Scores.Select(score => AccuracyRow(score, " → ")));
        text.Append('\n');
        Append(text, CostHeadings, 1, _run.Scores.Select(CostRow));
        return text.Append('\n').Append(Caption()).Append('\n').ToString();
    }

    /// <summary>The report on the terminal.</summary>
    public void WriteTables()
    {
        AnsiConsole.Write(Table(AccuracyHeadings(), 2, _run.Scores.Select(score => AccuracyRow(score, " | "))));
        AnsiConsole.Write(Table(CostHeadings, 1, _run.Scores.Select(CostRow)));
        AnsiConsole.WriteLine(Caption());
    }

    private static string[] CostHeadings => ["variant", "MFLOPs", "of dense", "vision ms", "prefill ms", "of dense", "decode ms/token"];

    private string[] AccuracyHeadings() => ["variant", "visual tokens", "accuracy", .. _types];

    private string[] AccuracyRow(Scoreboard score, string separator) =>
        [score.Variant.Name, score.Variant.TokensBySegment(separator), Share(score.Accuracy), .. _types.Select(type => Share(score.AccuracyOf(type)))];

    private string[] CostRow(Scoreboard score)
    {
        double flops = score.Variant.Plan.Flops(FlopsConvention.C, _run.TextTokens);
        double dense = Variant.Dense.Plan.Flops(FlopsConvention.C, _run.TextTokens);
        return
        [
            score.Variant.Name,
            Number(flops / 1e6, "F1"),
            Share(flops / dense),
            Number(score.Vision, "F2"),
            Number(score.Prefill, "F2"),
            Share(score.PrefillOfDense),
            Number(score.DecodeStep, "F2"),
        ];
    }

    private string Caption() => string.Create(
        CultureInfo.InvariantCulture,
        $"{_run.Asked} of {_run.Questions.Count} questions; an answer counts if it is exactly the right one. MFLOPs: the decoder's prefill in convention C with {_run.TextTokens} text tokens. Times: medians, variants in turns, fp32 on {Environment.ProcessorCount} logical CPUs ({RuntimeInformation.RuntimeIdentifier}, {RuntimeInformation.FrameworkDescription}); \"of dense\" is the median of each question's own ratio.");

    private static Table Table(string[] headings, int leftAligned, IEnumerable<string[]> rows)
    {
        var table = new Table().Border(TableBorder.Rounded);
        for (int i = 0; i < headings.Length; i++)
        {
            var column = new TableColumn(headings[i]);
            table.AddColumn(i < leftAligned ? column : column.RightAligned());
        }

        foreach (string[] row in rows)
        {
            table.AddRow([.. row.Select(Markup.Escape)]);
        }

        return table;
    }

    private static void Append(StringBuilder text, string[] headings, int leftAligned, IEnumerable<string[]> rows)
    {
        text.Append("| ").AppendJoin(" | ", headings).Append(" |\n|");
        for (int i = 0; i < headings.Length; i++)
        {
            text.Append(i < leftAligned ? "---|" : "---:|");
        }

        text.Append('\n');
        foreach (string[] row in rows)
        {
            text.Append("| ").AppendJoin(" | ", row).Append(" |\n");
        }
    }

    private static string Share(double value) => double.IsNaN(value) ? "-" : Number(100 * value, "F1") + " %";

    private static string Number(double value, string format) => double.IsNaN(value) ? "-" : value.ToString(format, CultureInfo.InvariantCulture);
}
