using Espalier.Samples.ChatServer.Hosting;
using Espalier.Samples.ChatServer.Settings;

try
{
    await using WebApplication app = ChatServerApp.Create(args);
    await app.RunAsync();
    return Environment.ExitCode;
}
catch (SettingException problem)
{
    await Console.Error.WriteLineAsync(problem.Message);
    return 2;
}
