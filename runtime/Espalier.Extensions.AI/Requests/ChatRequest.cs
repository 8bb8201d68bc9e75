using Espalier.Text;

namespace Espalier.Extensions.AI;

/// <summary>What a list of messages means: a conversation about one image.</summary>
/// <param name="Conversation">Questions, answers and system words.</param>
/// <param name="Image">The bytes of an image file, not decoded yet.</param>
internal sealed record ChatRequest(Conversation Conversation, ReadOnlyMemory<byte> Image);
