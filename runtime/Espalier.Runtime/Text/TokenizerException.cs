namespace Espalier.Text;

/// <summary>The rules that a tokenizer file, a chat template or a text can break.</summary>
public enum TokenizerError
{
    /// <summary>The file does not exist or cannot be read.</summary>
    Unreadable,

    /// <summary>The file or one of its parts exceeds a limit that is checked before memory is taken.</summary>
    TooLarge,

    /// <summary>The file is not JSON.</summary>
    NotJson,

    /// <summary>A field that must be there is missing.</summary>
    MissingField,

    /// <summary>A field has another JSON type than it must have, or a value outside its range.</summary>
    InvalidField,

    /// <summary>A component, or a setting of one, that this runtime does not implement.</summary>
    Unsupported,

    /// <summary>Two tokens share an id, or one token has two ids.</summary>
    DuplicateToken,

    /// <summary>A token that another part of the file refers to is not in the vocabulary.</summary>
    UnknownToken,

    /// <summary>A merge is not two tokens, or one of its tokens or its result is not in the vocabulary.</summary>
    InvalidMerge,

    /// <summary>A regular expression is malformed or uses syntax that cannot be translated faithfully.</summary>
    InvalidPattern,

    /// <summary>A regular expression of the file took too long on this text.</summary>
    PatternTimeout,

    /// <summary>The chat template is of no supported form.</summary>
    UnsupportedChatTemplate,

    /// <summary>A text from outside encodes to a special token, although special tokens were not recognised in it.</summary>
    SpecialTokenInText,
}

/// <summary>A <c>tokenizer.json</c> or chat template that cannot be used, or a text that cannot be encoded with it.</summary>
public sealed class TokenizerException : EspalierException
{
    internal TokenizerException(TokenizerError error, string file, string path, string message, Exception? inner = null)
        : base($"{file}: {path}: {message}", inner)
    {
        Error = error;
        File = file;
        Path = path;
    }

    /// <summary>The rule that was broken.</summary>
    public TokenizerError Error { get; }

    /// <summary>The file, as it was named by the caller.</summary>
    public string File { get; }

    /// <summary>The place in the file as a JSON path, for example <c>$.model.merges[3]</c>; <c>$</c> for the whole file.</summary>
    public string Path { get; }
}
