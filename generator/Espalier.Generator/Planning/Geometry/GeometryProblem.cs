using System.Globalization;

namespace Espalier.Planning;

/// <summary>The rules that a <c>config.json</c> can break. Each has an exception of its own in the runtime.</summary>
public enum GeometryRule
{
    /// <summary>The text is no JSON object by RFC 8259: comments, trailing commas, <c>NaN</c>, too deep nesting, an empty file.</summary>
    MalformedJson,

    /// <summary>An object names one field twice, so two readers could see two models.</summary>
    DuplicateField,

    /// <summary>A field without a default is absent.</summary>
    MissingField,

    /// <summary>A field holds another JSON type than its meaning needs.</summary>
    WrongType,

    /// <summary>A number lies outside of the range that it can have.</summary>
    OutOfRange,

    /// <summary>Two fields contradict each other, for example heads that do not divide the width.</summary>
    Inconsistent,

    /// <summary>A <c>model_type</c> of a family that Espalier does not run.</summary>
    UnknownFamily,

    /// <summary>A known family with an option that Espalier does not run.</summary>
    Unsupported,
}

/// <summary>Why a <c>config.json</c> was rejected. Compares by value, so an incremental generator can cache it.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Rule">The rule that was broken.</param>
/// <param name="Path">JSON path of the field, for example <c>text_config.num_hidden_layers</c>; empty for the document itself.</param>
/// <param name="Value">What was found, as JSON and shortened to one line; null where the field is absent.</param>
/// <param name="Expected">A sentence that says what the field must be.</param>
/// <param name="Line">Line of what was found, from 1; 0 where nothing was.</param>
/// <param name="Column">Column of what was found, in UTF-16 units from 1; 0 where nothing was.</param>
public sealed record GeometryProblem(GeometryRule Rule, string Path, string? Value, string Expected, int Line, int Column)
{
    /// <summary>The whole finding as one sentence, without the name of the file.</summary>
    public string Message
    {
        get
        {
            string place = Line > 0 ? string.Format(CultureInfo.InvariantCulture, " (line {0}, column {1})", Line, Column) : string.Empty;
            if (Path.Length == 0)
            {
                return Expected + place;
            }

            return Path + (Value is null ? " is absent" : " is " + Value) + place + ". " + Expected;
        }
    }
}

/// <summary>What came of reading a <c>config.json</c>: exactly one of the two is not null. Compares by value.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Geometry">The shapes of the model.</param>
/// <param name="Problem">The first broken rule.</param>
public sealed record GeometryReading(ModelGeometry? Geometry, GeometryProblem? Problem);
