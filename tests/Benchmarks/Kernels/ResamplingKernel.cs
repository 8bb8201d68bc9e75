using BenchmarkDotNet.Attributes;
using Espalier.Vision;

namespace Espalier.Benchmarks.Kernels;

/// <summary>A picture to the pixels of the tower: cut or stretched, resampled, normalised.</summary>
[MemoryDiagnoser]
public class ResamplingKernel
{
    private const string Config = """
        {
          "image_processor_type": "CLIPImageProcessor", "do_resize": true, "size": { "shortest_edge": 336 }, "resample": 3,
          "do_center_crop": true, "crop_size": { "height": 336, "width": 336 }, "do_rescale": true, "rescale_factor": 0.00392156862745098,
          "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711], "do_convert_rgb": true
        }
        """;

    private readonly float[] _pixels = new float[3 * 336 * 336];
    private ImagePreprocessor _preprocessor = null!;
    private byte[] _picture = [];

    /// <summary>Width of the picture; it is three quarters as high.</summary>
    [Params(640, 4000)]
    public int Width { get; set; }

    /// <summary>Random pixels, and the preprocessing of CLIP-L/14-336.</summary>
    [GlobalSetup]
    public void Fill()
    {
        string file = Path.GetTempFileName();
        File.WriteAllText(file, Config);
        _preprocessor = ImagePreprocessor.Open(file);
        File.Delete(file);
        _picture = Decoders.RandomInputs.Picture(Width, Width * 3 / 4);
    }

    /// <summary>Cubic resampling to 336 x 336.</summary>
    [Benchmark(Description = "picture to 336 x 336")]
    public void Resample() => _preprocessor.Process(new RgbImage(_picture, Width, Width * 3 / 4), _pixels);
}
