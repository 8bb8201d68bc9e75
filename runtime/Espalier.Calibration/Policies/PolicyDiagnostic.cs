namespace Espalier.Calibration;

/// <summary>What the compiler has to say about a policy, in its own words.</summary>
/// <param name="Id">For example <c>ESP0101</c> or <c>CS0246</c>; empty for the one thing that only text can get wrong: it holds more than attributes.</param>
/// <param name="IsError">True for an error, false for a warning.</param>
/// <param name="Message">One sentence.</param>
/// <param name="Line">Line of the policy's text, from 1; null where the message is about something outside of it.</param>
/// <param name="Column">Column of that line, from 1; null where the message is about something outside of the text.</param>
/// <param name="Length">Characters of that line that the message is about.</param>
/// <param name="HelpLink">The page that explains it; empty if there is none.</param>
public sealed record PolicyDiagnostic(string Id, bool IsError, string Message, int? Line, int? Column, int Length, string HelpLink)
{
    /// <summary>One line, as the compiler prints it, with the place inside the policy's text in front, and our page behind.</summary>
    public override string ToString() =>
        (Line is null ? "" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"({Line},{Column}): "))
        + (IsError ? "error" : "warning") + (Id.Length > 0 ? " " + Id : "") + ": " + Message + (Id.StartsWith("ESP", StringComparison.Ordinal) ? " (" + HelpLink + ")" : "");
}
