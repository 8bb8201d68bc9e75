namespace Espalier.Extensions.AI;

/// <summary>A request that the client cannot answer as it stands. The message names what is wrong and what would help.</summary>
public sealed class ChatRequestException : EspalierException
{
    internal ChatRequestException(ChatRequestFault fault, string message, Exception? inner = null)
        : base(message, inner)
    {
        Fault = fault;
    }

    /// <summary>What is wrong.</summary>
    public ChatRequestFault Fault { get; }

    /// <summary>The member of <see cref="Microsoft.Extensions.AI.ChatOptions"/> that is wrong; null if the messages are.</summary>
    public string? Option { get; internal init; }
}

/// <summary>Why a request cannot be answered.</summary>
public enum ChatRequestFault
{
    /// <summary>The messages are not a conversation: none, a role that is not known, a system message in the middle, an answer where a question belongs.</summary>
    InvalidConversation,

    /// <summary>There is no image.</summary>
    NoImage,

    /// <summary>There is more than one image.</summary>
    SeveralImages,

    /// <summary>The image is not in the first message of the user.</summary>
    ImageNotFirst,

    /// <summary>The image is an address; nothing is downloaded.</summary>
    ImageNotData,

    /// <summary>A message holds something else than text and an image.</summary>
    UnsupportedContent,

    /// <summary>There is no question in words.</summary>
    NoText,

    /// <summary>The texts are longer than <see cref="EspalierChatClientOptions.MaximumTextLength"/>, or there are more messages than <see cref="EspalierChatClientOptions.MaximumMessages"/>.</summary>
    TooLong,

    /// <summary>An option has a value that no answer can have.</summary>
    InvalidOption,

    /// <summary>An option asks for something that is not implemented, such as tools.</summary>
    UnsupportedOption,

    /// <summary>The request names another model than this client's.</summary>
    UnknownModel,
}
