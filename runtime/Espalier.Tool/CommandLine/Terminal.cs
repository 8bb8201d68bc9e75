using System.Diagnostics;
using Espalier.Evaluation;
using Spectre.Console;

namespace Espalier.CommandLine;

/// <summary>Where text goes: results to standard output, everything else to standard error, so that a redirected result stays clean.</summary>
/// <param name="output">Results.</param>
/// <param name="errors">Progress and errors.</param>
/// <param name="isWatched">True if somebody sees the errors as they come: then there are colours and progress bars.</param>
internal sealed class Terminal(TextWriter output, TextWriter errors, bool isWatched)
{
    private readonly IAnsiConsole _console = AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(errors),
        Ansi = isWatched ? AnsiSupport.Detect : AnsiSupport.No,
        Interactive = isWatched ? InteractionSupport.Detect : InteractionSupport.No,
    });

    /// <summary>Of this process.</summary>
    public static Terminal OfProcess { get; } = new(Console.Out, Console.Error, !Console.IsErrorRedirected);

    /// <summary>Results.</summary>
    public TextWriter Output => output;

    /// <summary>Progress and errors.</summary>
    public TextWriter Errors => errors;

    /// <summary>True if there is a terminal that can show progress.</summary>
    public bool ShowsProgress => isWatched && _console.Profile.Capabilities.Interactive;

    /// <summary>Writes one red line.</summary>
    public void Fail(string message)
    {
        // One line whatever the message holds; not wrapped either, since others search it.
        string line = string.Join(' ', message.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        if (isWatched)
        {
            _console.MarkupLineInterpolated($"[red]{line}[/]");
        }
        else
        {
            errors.WriteLine(line);
        }
    }

    /// <summary>Says that a run was cancelled that can be gone on with.</summary>
    /// <param name="file">What holds the part that is done.</param>
    /// <param name="doneSoFar">How much that is; null if nobody knows.</param>
    /// <returns>The exit code.</returns>
    public int Cancelled(string file, string? doneSoFar = null)
    {
        Fail($"cancelled{(doneSoFar is null ? "" : " after " + doneSoFar)}; the same command goes on from {file}");
        return ExitCode.Cancelled;
    }

    /// <summary>Shows what is being done while it is done.</summary>
    public T Status<T>(string doing, Func<Action<string>, T> work) =>
        ShowsProgress ? _console.Status().Start(Markup.Escape(doing), status => work(text => status.Status(Markup.Escape(text)))) : work(static _ => { });

    /// <summary>Shows a bar with the time left while something of known length is done.</summary>
    /// <param name="doing">What is done, for example <c>520 questions</c>.</param>
    /// <param name="done">How much of it was done before.</param>
    /// <param name="total">How much there is; 0 if nobody knows.</param>
    /// <param name="work">Does it, and calls its argument after each piece.</param>
    public Task ProgressAsync(string doing, long done, long total, Func<Action, Task> work)
    {
        if (!ShowsProgress)
        {
            return work(static () => { });
        }

        var clock = Stopwatch.StartNew();
        return _console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context =>
            {
                ProgressTask task = context.AddTask(Markup.Escape(doing), maxValue: Math.Max(total, 1));
                task.Increment(done);
                task.IsIndeterminate = total == 0;
                return work(() =>
                {
                    task.Increment(total == 0 ? 0 : 1);
                    task.Description = total == 0 ? Markup.Escape($"{doing}, {++done} in {clock.Elapsed:hh\\:mm\\:ss}") : task.Description;
                });
            });
    }

    /// <summary>Shows a bar with the time left while something is done whose length is found out on the way.</summary>
    /// <param name="doing">What is done.</param>
    /// <param name="work">Does it, and calls its argument with what is done and how much there is, as far as is known.</param>
    public Task ProgressAsync(string doing, Func<Action<long, long>, Task> work) => !ShowsProgress
        ? work(static (_, _) => { })
        : _console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context =>
            {
                ProgressTask task = context.AddTask(Markup.Escape(doing));
                return work((done, total) =>
                {
                    task.MaxValue = Math.Max(total, 1);
                    task.Value = done;
                });
            });

    /// <summary>Writes a table: with borders where somebody looks at it, in plain columns where the output goes elsewhere.</summary>
    public void Write(ReportTable table)
    {
        if (this != OfProcess || Console.IsOutputRedirected)
        {
            output.Write(table.ToText());
            return;
        }

        var shown = new Table().Border(TableBorder.Rounded);
        for (int i = 0; i < table.Headings.Count; i++)
        {
            var column = new TableColumn(Markup.Escape(table.Headings[i]));
            shown.AddColumn(i < table.LeftAligned ? column : column.RightAligned());
        }

        foreach (IReadOnlyList<string> row in table.Rows)
        {
            shown.AddRow([.. row.Select(Markup.Escape)]);
        }

        AnsiConsole.Write(shown);
    }
}
