using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace Espalier.Samples.Shapes.Evaluation;

/// <summary>Runs an evaluation with a progress bar, or with a line now and then where nobody watches.</summary>
internal static class EvaluationProgress
{
    private const int Lines = 10;

    public static async Task ShowAsync(EvaluationRun run, CancellationToken cancellationToken)
    {
        if (Terminal.Errors.Profile.Capabilities.Interactive && !Console.IsErrorRedirected)
        {
            await ShowBarAsync(run, cancellationToken);
        }
        else
        {
            await ShowLinesAsync(run, cancellationToken);
        }
    }

    private static Task ShowBarAsync(EvaluationRun run, CancellationToken cancellationToken) =>
        Terminal.Errors.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context =>
            {
                ProgressTask task = context.AddTask($"{run.Questions.Count} questions, {run.Scores.Count} variants", maxValue: run.Questions.Count);
                return run.RunAsync(() => task.Increment(1), cancellationToken);
            });

    private static Task ShowLinesAsync(EvaluationRun run, CancellationToken cancellationToken)
    {
        int total = run.Questions.Count;
        var clock = Stopwatch.StartNew();
        return run.RunAsync(
            () =>
            {
                if ((long)run.Asked * Lines / total != (long)(run.Asked - 1) * Lines / total)
                {
                    TimeSpan left = clock.Elapsed / run.Asked * (total - run.Asked);
                    Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{run.Asked} of {total} questions, {left.TotalSeconds:F0} s left"));
                }
            },
            cancellationToken);
    }
}
