using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Espalier.Evaluation;
using Espalier.Vision;

namespace Espalier.Tool.Batch;

/// <summary>Answers the lines of an input in their order, a record a line. A bad line gets a record that says why, and the next line is read.</summary>
/// <param name="model">Answers.</param>
/// <param name="options">Sampling and length.</param>
/// <param name="images">What the paths of pictures are relative to.</param>
/// <param name="run">Names model, policy and options; stands in each record.</param>
internal sealed class BatchRun(LoadedCandidate model, AnswerOptions options, string images, string run)
{
    /// <summary>Bytes that a line has at the most: a picture of the largest size that is decoded, in base64, and a question.</summary>
    public const int LongestLine = 96 << 20;

    /// <summary>Records with an answer.</summary>
    public long Answered { get; private set; }

    /// <summary>Records that say what was wrong.</summary>
    public long Failed { get; private set; }

    /// <summary>Answers every line behind the last record.</summary>
    /// <param name="input">The lines.</param>
    /// <param name="output">The records.</param>
    /// <param name="done">Called after each line.</param>
    /// <param name="cancellationToken">Looked at before each layer of the model; the line in work gets no record then.</param>
    public async Task RunAsync(Stream input, BatchOutput output, Action done, CancellationToken cancellationToken)
    {
        await foreach (InputLine line in LinesAsync(input, output, cancellationToken).ConfigureAwait(false))
        {
            output.Write(await AnswerAsync(line, cancellationToken).ConfigureAwait(false));
            done();
        }
    }

    /// <summary>As <see cref="RunAsync"/>, several lines at a time. Records still come in the order of the lines: one that is ready early waits.</summary>
    /// <param name="together">How many lines.</param>
    /// <param name="input">The lines.</param>
    /// <param name="output">The records.</param>
    /// <param name="done">Called after each record.</param>
    /// <param name="cancellationToken">Looked at before each layer of the model; the lines in work get no record then.</param>
    public async Task RunTogetherAsync(int together, Stream input, BatchOutput output, Action done, CancellationToken cancellationToken)
    {
        // One that reads and one that writes; the order of the questions is that of the records.
        var records = new ConcurrentQueue<(JsonObject Record, JsonNode? Id)>();
        var ready = new Dictionary<int, BatchAnswer>();
        int next = 0;
        await foreach (BatchAnswer answer in model.AnswerAllAsync(QuestionsAsync(), together, options, cancellationToken).ConfigureAwait(false))
        {
            ready.Add(answer.Index, answer);
            while (ready.Remove(next, out BatchAnswer? due) && records.TryDequeue(out (JsonObject Record, JsonNode? Id) begun))
            {
                Name(begun.Record, begun.Id);
                if (due.Error is null)
                {
                    Tell(begun.Record, due.Text, due.Statistics);
                }
                else
                {
                    Tell(begun.Record, due.Error);
                }

                output.Write(begun.Record);
                done();
                next++;
            }
        }

        async IAsyncEnumerable<BatchQuestion> QuestionsAsync()
        {
            await foreach (InputLine line in LinesAsync(input, output, cancellationToken).ConfigureAwait(false))
            {
                BatchQuestion question;
                JsonNode? id = null;
                try
                {
                    BatchRequest request = BatchRequest.Parse(line, out id);
                    question = new BatchQuestion(_ => ValueTask.FromResult(request.ReadImage(images)), request.Question);
                }
                catch (BatchLineException exception)
                {
                    question = new BatchQuestion(_ => ValueTask.FromException<RgbImage>(exception), "");
                }

                records.Enqueue((new JsonObject { ["line"] = line.Number }, id));
                yield return question;
            }
        }
    }

    private static async IAsyncEnumerable<InputLine> LinesAsync(Stream input, BatchOutput output, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var reader = new JsonLineReader(input, LongestLine);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false) is { } line)
        {
            if (line.Number > output.LastLine && !line.IsBlank)
            {
                yield return line;
            }
        }
    }

    private async Task<JsonObject> AnswerAsync(InputLine line, CancellationToken cancellationToken)
    {
        var record = new JsonObject { ["line"] = line.Number };
        JsonNode? id = null;
        try
        {
            BatchRequest request = BatchRequest.Parse(line, out id);
            Name(record, id);
            RgbImage image = request.ReadImage(images);
            string answer = await model.AnswerAsync(image, request.Question, options, cancellationToken).ConfigureAwait(false);
            Tell(record, answer, model.Statistics);
        }
        catch (Exception exception) when (exception is not (OperationCanceledException or OutOfMemoryException))
        {
            Name(record, id);
            Tell(record, exception);
        }

        return record;
    }

    private void Tell(JsonObject record, string answer, AnswerStatistics taken)
    {
        record["answer"] = answer;
        record["finish"] = Loading.NameOf(taken.FinishReason);
        record["prompt_tokens"] = taken.PromptTokens;
        record["generated_tokens"] = taken.GeneratedTokens;
        record["visual_tokens"] = model.VisualTokens;
        record["visual_tokens_kept"] = LoadedCandidate.KeptOf(taken);
        Answered++;
    }

    private void Tell(JsonObject record, Exception exception)
    {
        record["error"] = new JsonObject { ["kind"] = KindOf(exception), ["message"] = exception.Message };
        Failed++;
    }

    private void Name(JsonObject record, JsonNode? id)
    {
        if (record.ContainsKey("run"))
        {
            return;
        }

        if (id is not null)
        {
            record["id"] = id;
        }

        record["run"] = run;
    }

    private static string KindOf(Exception exception) => exception switch
    {
        BatchLineException line => line.Kind,
        Espalier.Imaging.ImageException => "image",
        PromptTooLongException or Espalier.Text.TokenizerException => "prompt",
        EspalierException => "model",
        IOException or UnauthorizedAccessException => "file",
        _ => "internal",
    };
}
