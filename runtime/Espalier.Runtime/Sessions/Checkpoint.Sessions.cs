using Espalier.Text;
using Espalier.Vision;

namespace Espalier;

public sealed partial class Checkpoint
{
    private readonly Lock _sharing = new();
    private SessionCache? _sessions;
    private Tokenizer? _tokenizer;
    private ImagePreprocessor? _preprocessor;
    private PromptTemplate? _prompt;

    /// <summary>The tokenizer, from <c>tokenizer.json</c>; read on first use.</summary>
    /// <exception cref="TokenizerException">The file is missing, malformed or of an unsupported kind.</exception>
    public Tokenizer Tokenizer
    {
        get
        {
            lock (_sharing)
            {
                return _tokenizer ??= Tokenizer.Open(Path.Combine(Folder, "tokenizer.json"));
            }
        }
    }

    /// <summary>The image preprocessing, from <c>preprocessor_config.json</c>; read on first use.</summary>
    /// <exception cref="PreprocessorException">The file is missing, malformed, or makes pictures of another size than the tower takes.</exception>
    public ImagePreprocessor Preprocessor
    {
        get
        {
            lock (_sharing)
            {
                return _preprocessor ??= OpenPreprocessor();
            }
        }
    }

    /// <summary>The prompt of the model's family; read on first use.</summary>
    public PromptTemplate Prompt
    {
        get
        {
            lock (_sharing)
            {
                return _prompt ??= PromptTemplate.Read(Folder, Geometry.Text.Family);
            }
        }
    }

    /// <summary>The sessions of this checkpoint, with one reference for the caller to release.</summary>
    /// <exception cref="ObjectDisposedException">The checkpoint is disposed.</exception>
    internal SessionCache ShareSessions()
    {
        lock (_sharing)
        {
            ObjectDisposedException.ThrowIf(_disposed != 0, this);
            _sessions ??= new SessionCache(this);
            _sessions.AddReference();
            return _sessions;
        }
    }

    private ImagePreprocessor OpenPreprocessor()
    {
        string file = Path.Combine(Folder, "preprocessor_config.json");
        ImagePreprocessor preprocessor = ImagePreprocessor.Open(file);
        int size = Geometry.Vision.ImageSize;
        if (preprocessor.OutputWidth != size || preprocessor.OutputHeight != size)
        {
            throw new PreprocessorException(file, null, $"it makes pictures of {preprocessor.OutputWidth}x{preprocessor.OutputHeight} pixels, but the vision tower takes {size}x{size}; 'crop_size' or 'size' must be {size}.");
        }

        return preprocessor;
    }

    private void ReleaseSessions()
    {
        lock (_sharing)
        {
            _sessions?.Release();
        }
    }
}
