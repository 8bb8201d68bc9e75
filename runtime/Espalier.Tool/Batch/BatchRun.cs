using System.Text.Json.Nodes;
using Espalier.Evaluation;
using Espalier.Tool.Commands;
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
        var reader = new JsonLineReader(input, LongestLine);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false) is { } line)
        {
            if (line.Number > output.LastLine && !line.IsBlank)
            {
                output.Write(await AnswerAsync(line, cancellationToken).ConfigureAwait(false));
                done();
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
            AnswerStatistics taken = model.Statistics;
            record["answer"] = answer;
            record["finish"] = Loading.NameOf(taken.FinishReason);
            record["prompt_tokens"] = taken.PromptTokens;
            record["generated_tokens"] = taken.GeneratedTokens;
            record["visual_tokens"] = model.VisualTokens;
            record["visual_tokens_kept"] = model.VisualTokensKept;
            Answered++;
        }
        catch (Exception exception) when (exception is not (OperationCanceledException or OutOfMemoryException))
        {
            Name(record, id);
            record["error"] = new JsonObject { ["kind"] = KindOf(exception), ["message"] = exception.Message };
            Failed++;
        }

        return record;
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
