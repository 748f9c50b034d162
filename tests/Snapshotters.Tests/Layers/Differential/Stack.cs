using System.IO.Compression;
using ZstdSharp;

namespace ImageStore.Snapshotters.Tests.Layers.Differential;

/// <summary>Random layers, each by its steps. What steps there are decides nothing about how the others are written, so it can be shrunk.</summary>
internal sealed record Stack(int Seed, bool IsTame, IReadOnlyList<IReadOnlyList<ModelStep>> Layers)
{
    private const int MaxLayers = 5;
    private const int MaxSteps = 30;
    private const int IdsOfALayer = 1000;

    public static Stack Random(int seed, bool isTame)
    {
        var random = new Random(seed);
        return new Stack(seed, isTame, [.. Enumerable.Range(0, random.Next(1, MaxLayers + 1)).Select(_ => Steps(random))]);
    }

    /// <summary>The layers as archives, each with the tree that it makes.</summary>
    public IEnumerable<(byte[] Archive, ModelTree Tree)> Write()
    {
        var before = new ModelTree();
        for (var layer = 0; layer < Layers.Count; layer++)
        {
            var after = before.Copy();
            for (var step = 0; step < Layers[layer].Count; step++)
            {
                Layers[layer][step].Do(after, layer * IdsOfALayer + step + 1, IsTame);
            }

            var choices = new Choices(Seed + layer * 7919);
            var items = new LayerScript(before, after, choices, IsTame).Write();

            // The first layer tells of the root, which else would have what the machine gives to new directories.
            yield return (new TarDialect(choices, IsTame).Write(layer == 0 ? [new TarItem("", after.Files[""]), .. items] : items), after);
            before = after;
        }
    }

    /// <summary>A smaller stack that <paramref name="fails"/> as well.</summary>
    public Stack Shrunk(Func<Stack, bool> fails)
    {
        var smallest = this;
        for (var smaller = true; smaller;)
        {
            smaller = false;
            foreach (var candidate in smallest.Smaller())
            {
                if (fails(candidate))
                {
                    (smallest, smaller) = (candidate, true);
                    break;
                }
            }
        }

        return smallest;
    }

    public override string ToString() =>
        $"seed {Seed}:\n" + string.Join('\n', Layers.Select((steps, i) => $"layer {i}:\n  {string.Join("\n  ", steps)}"));

    /// <summary>One of the forms in which a layer may be compressed.</summary>
    public static byte[] Pack(byte[] archive, int form)
    {
        var third = archive.Length / 3;
        return form switch
        {
            0 => archive,
            1 => Gzip(archive),
            2 => [.. Gzip(archive[..third]), .. Gzip(archive[third..])],
            3 => Zstd(archive),
            _ => [.. Zstd(archive[..third]), 0x55, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2, .. Zstd(archive[third..])],
        };
    }

    private static ModelStep[] Steps(Random random) => [.. Enumerable.Range(0, random.Next(MaxSteps)).Select(_ => ModelStep.Random(random))];

    private IEnumerable<Stack> Smaller()
    {
        for (var layer = Layers.Count - 1; layer >= 0; layer--)
        {
            if (Layers.Count > 1)
            {
                yield return this with { Layers = [.. Layers.Take(layer), .. Layers.Skip(layer + 1)] };
            }

            for (var step = Layers[layer].Count - 1; step >= 0; step--)
            {
                yield return this with
                {
                    Layers = [.. Layers.Take(layer), [.. Layers[layer].Take(step), .. Layers[layer].Skip(step + 1)], .. Layers.Skip(layer + 1)],
                };
            }
        }
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(bytes);
        }

        return packed.ToArray();
    }

    private static byte[] Zstd(byte[] bytes)
    {
        using var compressor = new Compressor(1);
        return compressor.Wrap(bytes).ToArray();
    }
}
